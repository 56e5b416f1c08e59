"""Writes files as marian-nmt does, from the description of its format: the inverse of what the package reads."""

import struct
from pathlib import Path

import numpy as np
import yaml

CONFIG = {
    "type": "transformer",
    "enc-depth": 3,
    "dec-depth": 2,
    "dec-cell": "ssru",
    "transformer-decoder-autoreg": "rnn",
    "transformer-heads": 2,
    "transformer-dim-ffn": 24,
    "transformer-ffn-depth": 2,
    "transformer-ffn-activation": "relu",
    "transformer-preprocess": "",
    "transformer-postprocess": "dan",
    "transformer-train-position-embeddings": False,
    "tied-embeddings-all": True,
}
FLOAT32, INTGEMM8, TEXT = 0x404, 0x4101, 0x101


def random_tensors(config: dict, vocabulary: int, width: int, seed: int = 0) -> dict[str, np.ndarray]:
    """The items of a student's file; a gemm weight has the shape (in, out)."""
    ffn = config["transformer-dim-ffn"]
    attention = {f"W{x}": (width, width) for x in "qkvo"} | {f"b{x}": (1, width) for x in "qkvo"}
    norm = {"ln_scale": (1, width), "ln_bias": (1, width)}
    feed = {"W1": (width, ffn), "b1": (1, ffn), "W2": (ffn, width), "b2": (1, width)}
    feed |= {f"ffn_{name}": shape for name, shape in norm.items()}
    attention |= {f"Wo_{name}": shape for name, shape in norm.items()}
    unit = {"W": (width, width), "Wf": (width, width), "bf": (1, width)}
    unit |= {f"ffn_{name}": shape for name, shape in norm.items()}
    recurrent = config["transformer-decoder-autoreg"] == "rnn"
    encoder = {"self": attention, "ffn": feed}
    decoder = {"rnn": unit} if recurrent else {"self": attention}
    decoder |= {"context": attention, "ffn": feed}
    shapes = {"Wemb": (vocabulary, width), "decoder_ff_logit_out_b": (1, vocabulary)}
    for side, depth, parts in (("encoder", config["enc-depth"], encoder), ("decoder", config["dec-depth"], decoder)):
        for layer in range(1, depth + 1):
            for part, items in parts.items():
                shapes |= {f"{side}_l{layer}_{part}_{name}": shape for name, shape in items.items()}
    draws = np.random.default_rng(seed)
    return {name: draws.normal(name.endswith("scale"), 0.2, shape).astype(np.float32) for name, shape in shapes.items()}


def is_gemm(name: str) -> bool:
    """Whether marian-nmt keeps the item in int8: the matrices and the embeddings."""
    return name == "Wemb" or "_W" in name and "_ln_" not in name


def quantised(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is left of the tensors after int8: 127 steps up to each matrix's largest entry."""
    return {
        name: np.rint(value * multiplier(value)).astype(np.float32) / multiplier(value) if is_gemm(name) else value
        for name, value in tensors.items()
    }


def multiplier(value: np.ndarray) -> np.float32:
    return np.float32(127 / np.abs(value).max())


def write(path: Path, config: dict | None, tensors: dict[str, np.ndarray], *, int8: bool = False) -> Path:
    """One file; `int8` as intgemm prepares it, with the activation multipliers that such files carry."""
    items = [(name, *_item(name, value, int8)) for name, value in tensors.items()]
    if int8:
        matrices = [name for name in tensors if is_gemm(name) and name != "Wemb"]
        items += [(f"{name}_QuantMultA", FLOAT32, (1, 1), struct.pack("<f", 9.5)) for name in [*matrices, "none"]]
    if config is not None:
        text = yaml.safe_dump(config).encode() + b"\0"
        items.append(("special:model.yml", TEXT, (len(text),), text))
    return write_items(path, items)


def write_items(path: Path, items: list[tuple[str, int, tuple[int, ...], bytes]], version: int = 1) -> Path:
    """One file of (name, type, shape, bytes)."""
    padded = [data + bytes(-len(data) % 256 if kind != TEXT else 0) for _, kind, _, data in items]
    head = struct.pack("<QQ", version, len(items))
    for (name, kind, shape, _), data in zip(items, padded, strict=True):
        head += struct.pack("<QQQQ", len(name) + 1, kind, len(shape), len(data))
    head += b"".join(name.encode() + b"\0" for name, *_ in items)
    head += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in items)
    padding = -(len(head) + 8) % 256
    path.write_bytes(head + struct.pack("<Q", padding) + bytes(padding) + b"".join(padded))
    return path


def _item(name: str, value: np.ndarray, int8: bool) -> tuple[int, tuple[int, ...], bytes]:
    if not (int8 and is_gemm(name)):
        return FLOAT32, value.shape, value.astype("<f4").tobytes()
    steps = np.rint(value * multiplier(value)).astype("i1")
    laid_out = steps if name == "Wemb" else steps.T
    return INTGEMM8, value.shape, laid_out.tobytes() + struct.pack("<f", multiplier(value))
