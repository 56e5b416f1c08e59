"""Word vectors of a corpus: one array for all words, in memory or on disk, read sentence by sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int, Integer

from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class WordVectors:
    """The vectors of the words of each sentence: `vectors[i]` is an array [W, D].

    Attributes:
        rows: Vectors, in memory or on disk.
        offsets: Position of the first word of each sentence; the last entry is the total number of words.
        index: Row of each word; None: every word has its own row, in order.
    """

    rows: Float32[np.ndarray, "N D"]
    offsets: Int[np.ndarray, " B1"]
    index: Int[np.ndarray, " W"] | None = None

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Float32[np.ndarray, "W D"]:
        """Vectors of the words of a sentence."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        words = slice(self.offsets[index], self.offsets[index + 1])
        return self.rows[words if self.index is None else self.index[words]]

    @property
    def width(self) -> int:
        """Width of a vector."""
        return self.rows.shape[1]

    @property
    def lengths(self) -> Int[np.ndarray, " B"]:
        """Number of words of each sentence."""
        return np.diff(self.offsets)


def load_vectors(path: str | Path) -> WordVectors:
    """Reads word vectors from a file of the user.

    Args:
        path: A `.npz` file with the arrays `vectors`, [N, D], for all words of all sentences in order, and `lengths`,
            [B], the number of words of each sentence.

    Returns:
        The vectors, in memory, in float32.

    Raises:
        RequestError: The file cannot be read, or its arrays have other names, shapes or types.
    """
    expected = "expected an .npz file with the arrays vectors [N, D] and lengths [B] (numpy.savez)"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            vectors, lengths = arrays["vectors"], arrays["lengths"]
    except Exception as error:  # zip, numpy and the file system raise exceptions of different types
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise RequestError(f"cannot read {path}: {reason}; {expected}") from error
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        given = f"vectors {vectors.dtype} {list(vectors.shape)}, lengths {lengths.dtype} {list(lengths.shape)}"
        raise RequestError(f"{path} holds {given}; {expected}")
    if (lengths < 0).any() or lengths.sum() != len(vectors):
        raise RequestError(f"{path}: its lengths add up to {lengths.sum():,} words, it has {len(vectors):,} vectors")
    if not np.isfinite(vectors).all():
        raise RequestError(f"{path}: some of its vectors are not finite")
    return WordVectors(vectors.astype(np.float32), offsets_of(lengths))


def offsets_of(lengths: Integer[np.ndarray, " B"] | Sequence[int]) -> Int[np.ndarray, " B1"]:
    """Position of the first word of each sentence, and the total number of words."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
