"""One seed gives one generator for each sentence, so that batching, order or sharding cannot change a number."""

import hashlib

import torch


def sentence_generator(seed: int, text: str) -> torch.Generator:
    """A CPU generator that depends on the seed and on the sentence alone.

    Args:
        seed: The seed of the run.
        text: The sentence; equal sentences get equal noise, wherever they stand.

    Returns:
        A fresh generator; draw on the CPU and move the draw, so that every device sees the same noise.
    """
    digest = hashlib.sha256(f"{seed}\0{text}".encode("utf-8", "surrogatepass")).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
