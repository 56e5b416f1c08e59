"""Parallel text: files whose lines belong together, looked through before any work starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError
from nmt_ib.signature import fingerprint_lines


@dataclass(frozen=True)
class TextFacts:
    """What one pass over a text tells.

    Attributes:
        name: Its name.
        lines: Number of lines, at least 1.
        characters: Number of characters.
        fingerprint: Hash of its lines.
    """

    name: str
    lines: int
    characters: int
    fingerprint: str


def scan_text(name: str) -> TextFacts:
    """Reads a whole text once, so that a wrong byte is found before any work starts.

    Args:
        name: See `read_lines`.

    Returns:
        Its facts.

    Raises:
        RequestError: It cannot be read, or is empty.
    """
    lines = characters = 0

    def counted() -> Iterator[str]:
        nonlocal lines, characters
        for line in read_lines(name):
            lines, characters = lines + 1, characters + len(line)
            yield line

    fingerprint = fingerprint_lines(counted())
    if lines == 0:
        raise RequestError(f"{name} is empty: expected one sentence a line")
    return TextFacts(name, lines, characters, fingerprint)


def scan_parallel(names: dict[str, str]) -> dict[str, TextFacts]:
    """The facts of texts that must have the same number of lines.

    Args:
        names: Role of each text ("sources", "targets") -> its name.

    Returns:
        Role -> facts.

    Raises:
        RequestError: One cannot be read or is empty, or the numbers of lines differ.
    """
    facts = {role: scan_text(name) for role, name in names.items()}
    first, *others = facts.values()
    for other in others:
        if other.lines != first.lines:
            raise RequestError(
                f"{first.name} has {first.lines:,} lines and {other.name} has {other.lines:,}: expected one for one"
            )
    return facts


def read_chunks(
    sources: str, targets: str | None, start: int, size: int
) -> Iterator[tuple[list[str], list[str] | None]]:
    """Consecutive lines of two parallel texts, `size` at a time.

    Args:
        sources: See `read_lines`.
        targets: The same; None where there is no second text.
        start: First line wanted.
        size: Lines of a chunk; the last may be shorter.

    Yields:
        Lines of the sources, and of the targets where there are some.
    """
    left = islice(read_lines(sources), start, None)
    right = None if targets is None else islice(read_lines(targets), start, None)
    while chunk := list(islice(left, size)):
        yield chunk, None if right is None else list(islice(right, size))
