"""The file format of marian-nmt: header, tensors (float32 and intgemm int8) and embedded configuration."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from jaxtyping import Float
from torch import Tensor

from nmt_ib.errors import RequestError

CONFIG_ITEM = "special:model.yml"
FLOAT32, INTGEMM8, TEXT = 0x404, 0x4101, 0x101


@dataclass(frozen=True)
class MarianBinary:
    """A marian-nmt model file in memory.

    Attributes:
        config: The training configuration that the file contains.
        tensors: Name -> float32 tensor; int8 items are divided by their quantisation multiplier.
    """

    config: dict[str, Any]
    tensors: dict[str, Float[Tensor, "..."]]


def is_marian_binary(path: Path) -> bool:
    """Whether a file starts like a single-file marian-nmt model: version 1, a plausible number of items, a config."""
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    if len(head) < 16:
        return False
    version, items = struct.unpack_from("<QQ", head)
    return version == 1 and 0 < items < 100_000 and CONFIG_ITEM.encode() in head


def read_marian_binary(path: Path) -> MarianBinary:
    """Reads a `.bin` file of marian-nmt.

    Layout (little-endian): version, number of items; four uint64 per item (length of the name, type, number of
    dimensions, bytes of data); the names; the shapes (int32); a padding length and that padding; the data.
    An intgemm int8 matrix of shape (in, out) is stored transposed, followed by its multiplier.

    Args:
        path: The file.

    Returns:
        The tensors, each in its declared shape, and the configuration.

    Raises:
        RequestError: The file is not in this format, is truncated, or contains an unsupported type.
    """
    data = path.read_bytes()
    try:
        return _parse(data)
    except (struct.error, ValueError, IndexError, yaml.YAMLError) as error:
        raise RequestError(
            f"{path} is not a complete marian-nmt model file ({error}); copy it again, or pass a Hugging Face directory"
        ) from error


def _parse(data: bytes) -> MarianBinary:
    version, count = struct.unpack_from("<QQ", data)
    if version != 1 or count > 100_000:
        raise ValueError(f"version {version} with {count} items; expected version 1")
    headers = [struct.unpack_from("<QQQQ", data, 16 + 32 * item) for item in range(count)]
    offset = 16 + 32 * count
    names = []
    for length, *_ in headers:
        names.append(data[offset : offset + length - 1].decode())
        offset += length
    shapes = []
    for _, _, dimensions, _ in headers:
        shapes.append(struct.unpack_from(f"<{dimensions}i", data, offset))
        offset += 4 * dimensions
    (padding,) = struct.unpack_from("<Q", data, offset)
    offset += 8 + padding
    expected = offset + sum(size for *_, size in headers)
    if expected > len(data):
        raise ValueError(f"it is truncated: {len(data):,} bytes, expected {expected:,}")
    config: dict[str, Any] = {}
    tensors = {}
    for name, shape, (_, kind, _, size) in zip(names, shapes, headers, strict=True):
        chunk = data[offset : offset + size]
        offset += size
        if name == CONFIG_ITEM:
            config = yaml.safe_load(chunk.rstrip(b"\0").decode())
        elif kind != TEXT:
            tensors[name] = torch.from_numpy(_decode(chunk, kind, shape, name))
    if not isinstance(config, dict) or not config:
        raise ValueError(f"it has no item {CONFIG_ITEM}")
    return MarianBinary(config, tensors)


def _decode(chunk: bytes, kind: int, shape: tuple[int, ...], name: str) -> np.ndarray:
    size = int(np.prod(shape))
    if kind == FLOAT32:
        return np.frombuffer(chunk, "<f4", size).reshape(shape).copy()
    if kind != INTGEMM8:
        raise ValueError(f"item {name} has type {kind:#x}; supported: float32 and intgemm int8")
    (multiplier,) = struct.unpack_from("<f", chunk, size)
    if not 0 < multiplier < float("inf"):
        raise ValueError(f"item {name} has the quantisation multiplier {multiplier}")
    values = np.frombuffer(chunk, "i1", size).astype(np.float32) / np.float32(multiplier)
    if name.endswith("Wemb"):  # looked up by row: the only int8 matrix that is not stored transposed
        return values.reshape(shape)
    return np.ascontiguousarray(values.reshape(shape[::-1]).T)
