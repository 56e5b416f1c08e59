"""`sentences.jsonl`: whole chunks are appended, and lines are read back one at a time."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from json import dumps
from pathlib import Path
from typing import Generic, TypeVar, overload

import numpy as np
from jaxtyping import Int64

from nmt_ib.errors import RequestError
from nmt_ib.results.result import Document

Line = TypeVar("Line", bound=Document)


class StoredSentences(Sequence[Line], Generic[Line]):
    """The lines of a run, read from disk when they are asked for, so that memory does not grow with the corpus.

    Args:
        path: The file.
        kind: Type of a line.
        owner: An object whose life decides that of the file, if any.
    """

    def __init__(self, path: Path, kind: type[Line], owner: object = None) -> None:
        self.path, self.kind, self._owner = path, kind, owner

    def __len__(self) -> int:
        """Number of lines."""
        return len(self._starts)

    def __iter__(self) -> Iterator[Line]:
        """The lines in order, in one pass over the file."""
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            for line in file:
                yield self._read(line)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Line, ...]: ...
    def __getitem__(self, index: int | slice) -> Line | tuple[Line, ...]:
        """One line, or the lines of a slice."""
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        with open(self.path, "rb") as file:
            file.seek(int(self._starts[index]))
            return self._read(file.readline())

    def __eq__(self, other: object) -> bool:
        """Whether another sequence has the same lines."""
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # a file may change

    @cached_property
    def _starts(self) -> Int64[np.ndarray, " N"]:
        return np.array(line_ends(self.path)[:-1], dtype=np.int64)

    def _read(self, line: bytes) -> Line:
        try:
            return self.kind.from_json(line)
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise RequestError(f"{self.path} is damaged ({reason}); remove the run directory") from error


def line_ends(path: Path) -> list[int]:
    """Where lines of a file end.

    Args:
        path: The file, which need not exist.

    Returns:
        0, then the byte behind each line that ends with a line feed.
    """
    ends = [0]
    if path.exists():
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):  # the last line of a killed run may be torn
                    ends.append(ends[-1] + len(line))
    return ends


def to_line(sentence: Document) -> str:
    """One line of `sentences.jsonl`.

    Args:
        sentence: What was found for one line of the input.

    Returns:
        A JSON object and a line feed; JSON escapes control characters, so any text stays one line.
    """
    return dumps(sentence.to_dict(), ensure_ascii=False) + "\n"


def append(path: Path, sentences: Sequence[Document]) -> None:
    """Adds one chunk to the file, all of it or nothing.

    Args:
        path: The file, which need not exist.
        sentences: The lines that come next.

    Raises:
        OSError: The disk is full; the file is as it was before.
    """
    data = "".join(map(to_line, sentences)).encode()
    before = path.stat().st_size if path.exists() else 0
    try:
        with open(path, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        os.truncate(path, before)
        raise


def resume(path: Path, chunk: int, total: int) -> int:
    """Cuts the file back to whole chunks.

    A chunk is computed as a whole, so that a run that was killed computes what an undisturbed one does.

    Args:
        path: The file, which need not exist.
        chunk: Number of lines of one chunk.
        total: Number of lines of the whole run.

    Returns:
        Number of lines that are done.
    """
    ends = line_ends(path)
    done = len(ends) - 1
    if done != total:
        done -= done % chunk
    if path.exists():
        os.truncate(path, ends[done])
    return done
