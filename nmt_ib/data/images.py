"""Images in idx files, the format of MNIST."""

import gzip
import re
import struct
import zlib
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from nmt_ib.errors import RequestError

GZIPPED = b"\x1f\x8b"
BYTES = b"\0\0\x08"  # two zeros and the code of unsigned bytes; the fourth byte is the number of axes
PREFIXES = {"train": "train", "test": "t10k"}


@dataclass(frozen=True)
class ImageSet:
    """Images and their classes.

    Attributes:
        pixels: Grey values from 0 to 255.
        labels: Class of each image, from 0.
    """

    pixels: UInt8[np.ndarray, "B H W"]
    labels: UInt8[np.ndarray, " B"]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.labels)

    def first(self, count: int) -> "ImageSet":
        """The first images of the set; all if there are fewer."""
        return ImageSet(self.pixels[:count], self.labels[:count])

    @property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of a SHA-256 of shape, pixels and labels."""
        shape = f"{self.pixels.shape}".encode()
        return sha256(shape + self.pixels.tobytes() + self.labels.tobytes()).hexdigest()[:16]


def read_idx(path: str | Path) -> UInt8[np.ndarray, "..."]:
    """The array of an idx file of unsigned bytes, the format of MNIST.

    Args:
        path: The file, possibly gzipped (recognised by its first two bytes).

    Returns:
        The array in its declared shape.

    Raises:
        RequestError: The file cannot be read, is not an idx file of unsigned bytes, or has another size than declared.
    """
    content = _content(Path(path))
    if content[:3] != BYTES or len(content) < 4:
        raise RequestError(f"{path}: expected an idx file of unsigned bytes (00 00 08), found {content[:3].hex(' ')!r}")
    axes = content[3]
    start = 4 + 4 * axes
    if not axes or len(content) < start:
        raise RequestError(f"{path}: expected the sizes of {axes or 'at least 1'} axes; download the file again")
    shape = struct.unpack(f">{axes}I", content[4:start])
    if len(content) - start != prod(shape):
        sizes = " x ".join(map(str, shape))
        raise RequestError(
            f"{path}: expected {sizes} bytes of data, found {len(content) - start}; download the file again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read_images(directory: str | Path, split: str) -> ImageSet:
    """Images and classes of one split of MNIST, or of a data set with the same files.

    Args:
        directory: Directory with `train-images*`, `train-labels*`, `t10k-images*` and `t10k-labels*`; the parts of a
            split file are joined in the order of their numbers.
        split: "train" or "test".

    Returns:
        The images and classes.

    Raises:
        RequestError: There is no such split, a file is missing or damaged, or the numbers of images and labels differ.
    """
    if split not in PREFIXES:
        raise RequestError(f"unknown split {split!r}: expected one of {', '.join(PREFIXES)}")
    pixels = _joined(Path(directory), f"{PREFIXES[split]}-images", axes=3)
    labels = _joined(Path(directory), f"{PREFIXES[split]}-labels", axes=1)
    if len(pixels) != len(labels):
        raise RequestError(
            f"{directory} has {len(pixels)} images and {len(labels)} labels of {split}: expected equal numbers, and "
            "one copy of each file"
        )
    return ImageSet(pixels, labels)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == GZIPPED else content
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise RequestError(f"{path} is a damaged gzip file ({error}); download it again") from error
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error.strerror or error}") from error


def _joined(directory: Path, prefix: str, axes: int) -> UInt8[np.ndarray, "..."]:
    paths = sorted(
        directory.glob(f"{prefix}*"), key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)]
    )
    if not paths:
        raise RequestError(f"there is no file {directory}/{prefix}*: expected idx files, gzipped or not")
    parts = [read_idx(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if part.ndim != axes or part.shape[1:] != parts[0].shape[1:]:
            raise RequestError(
                f"{path}: expected {axes} axes and the same image size in all parts; found the shape {part.shape}"
            )
    return np.concatenate(parts)
