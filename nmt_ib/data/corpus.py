"""A corpus that is read once and iterated over as often as needed, whether it is a file, a pipe or a list."""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile

from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError
from nmt_ib.signature import fingerprint_lines

IN_MEMORY = 16 * 1024 * 1024  # bytes; a longer text is copied to a temporary file

Source = str | Path | Sequence[str]


class Corpus(Iterable[str]):
    """Lines of text.

    Attributes:
        name: Name of the text, or of its role where it is a list.
        characters: Number of characters.
        fingerprint: Hash of the lines.
    """

    def __init__(self, name: str, lines: Iterable[str], *, copy: bool) -> None:
        self.name, self.characters, self._count = name, 0, 0
        self._lines: Sequence[str] | SpooledTemporaryFile[bytes]
        if copy:
            self._lines = SpooledTemporaryFile(IN_MEMORY)
            weakref.finalize(self, self._lines.close)
            self.fingerprint = fingerprint_lines(self._counted(self._copied(lines)))
        else:
            self._lines = list(lines)
            self.fingerprint = fingerprint_lines(self._counted(self._lines))

    def __len__(self) -> int:
        """Number of lines."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        """The lines in order."""
        if isinstance(self._lines, Sequence):
            yield from self._lines
            return
        place = 0
        for _ in range(self._count):
            self._lines.seek(place)  # another iterator may have moved
            line = self._lines.readline()
            place += len(line)
            yield line[:-1].decode("utf-8", "surrogatepass")

    def chunks(self, start: int, size: int) -> Iterator[list[str]]:
        """Consecutive lines.

        Args:
            start: First line wanted, from 0.
            size: Number of lines of a chunk; the last may have fewer.

        Yields:
            The lines of each chunk.
        """
        lines = islice(self, start, None)
        while chunk := list(islice(lines, size)):
            yield chunk

    def _copied(self, lines: Iterable[str]) -> Iterator[str]:
        assert not isinstance(self._lines, Sequence)
        for line in lines:
            self._lines.write(line.encode("utf-8", "surrogatepass") + b"\n")
            yield line

    def _counted(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self._count, self.characters = self._count + 1, self.characters + len(line)
            yield line


def open_corpus(
    source: Source,
    role: str = "sources",
    *,
    max_sentences: int | None = None,
    read: Callable[[str], Iterable[str]] = read_lines,
) -> Corpus:
    """Reads a corpus once.

    Args:
        source: The name of a text, as `read_lines` takes it, or a list of sentences.
        role: What the sentences are, for error messages.
        max_sentences: Only the first so many lines; None: all.
        read: Reads a text by its name.

    Returns:
        The corpus; at least one line.

    Raises:
        RequestError: The text cannot be read or is empty, or the list holds something else than strings.
    """
    if isinstance(source, (str, Path)):
        corpus = Corpus(str(source), islice(iter(read(str(source))), max_sentences), copy=True)
        if not len(corpus):
            raise RequestError(f"{source} is empty: expected one sentence a line")
        return corpus
    if not isinstance(source, Iterable):
        raise RequestError(f"{role}: expected a list of sentences or the name of a text, not {type(source).__name__}")
    lines = list(islice(source, max_sentences))
    for index, line in enumerate(lines):
        if not isinstance(line, str):
            raise RequestError(f"{role}[{index}] is {type(line).__name__}, expected a string")
    return Corpus(role, lines, copy=False)


def open_parallel(sources: Mapping[str, Source]) -> dict[str, Corpus]:
    """Reads corpora that must have the same number of lines.

    Args:
        sources: Role of each text ("sources", "targets") -> its name, or its sentences.

    Returns:
        Role -> corpus.

    Raises:
        RequestError: One cannot be read or is empty, or the numbers of lines differ.
    """
    corpora = {role: open_corpus(source, role) for role, source in sources.items()}
    check_parallel(list(corpora.values()))
    return corpora


def check_parallel(corpora: Sequence[Corpus]) -> None:
    """Raises RequestError if corpora differ in their number of lines.

    Args:
        corpora: At least one.

    Raises:
        RequestError: They differ.
    """
    first, *others = corpora
    for other in others:
        if len(other) != len(first):
            raise RequestError(
                f"{first.name} has {len(first):,} lines and {other.name} has {len(other):,}: expected the same number"
            )
