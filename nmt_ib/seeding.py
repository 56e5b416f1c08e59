"""A random generator for each sentence, so that results do not depend on batches, order or shards."""

import hashlib

import torch


def sentence_generator(seed: int, text: str) -> torch.Generator:
    """A CPU generator that depends only on the seed and the sentence.

    Args:
        seed: Seed of the run.
        text: The sentence; equal sentences get equal noise.

    Returns:
        A fresh generator; noise should be drawn on the CPU and then moved, so that it is the same on every device.
    """
    digest = hashlib.sha256(f"{seed}\0{text}".encode("utf-8", "surrogatepass")).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
