"""Treebanks in the CoNLL-U format of Universal Dependencies."""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class Tree:
    """One sentence with its basic dependency tree.

    Attributes:
        text: The sentence as it was written.
        forms: The syntactic words.
        spans: Character span of each word in `text`; the words of a multi-word token share its span.
        upos: Universal part of speech of each word.
        heads: Head of each word, counted from 0; -1 for the root.
        relations: Relation of each word to its head.
    """

    text: str
    forms: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    upos: tuple[str, ...]
    heads: tuple[int, ...]
    relations: tuple[str, ...]

    def __len__(self) -> int:
        """Number of syntactic words."""
        return len(self.forms)

    def descendants(self, word: int) -> list[int]:
        """The word and all that hangs from it, in order."""
        found = {word}
        grown = True
        while grown:
            more = {index for index, head in enumerate(self.heads) if head in found} - found
            found |= more
            grown = bool(more)
        return sorted(found)


def read_conllu(path: str | Path) -> Iterator[Tree]:
    """Trees of a treebank, one at a time; empty nodes are left out.

    Args:
        path: A `.conllu` file, also gzipped.

    Yields:
        The trees in order.

    Raises:
        RequestError: There is no such file, or a line has not ten columns.
    """
    if not Path(path).is_file():
        raise RequestError(f"there is no file {path}")
    with gzip.open(path, "rt", encoding="utf-8") if str(path).endswith(".gz") else open(path, encoding="utf-8") as file:
        rows: list[list[str]] = []
        for number, line in enumerate(file, start=1):
            line = line.rstrip("\n")
            if not line:
                if rows:
                    yield _tree(rows)
                rows = []
            elif not line.startswith("#"):
                rows.append(line.split("\t"))
                if len(rows[-1]) != 10:
                    raise RequestError(f"{path}, line {number}: expected ten columns, found {len(rows[-1])}")
        if rows:
            yield _tree(rows)


def _tree(rows: Iterable[list[str]]) -> Tree:
    text, covered = "", 0
    words, spans, span = [], [], (0, 0)
    for row in rows:
        identifier, form, misc = row[0], row[1], row[9]
        if "." in identifier:
            continue
        if "-" in identifier:
            covered = int(identifier.split("-")[1])
        else:
            words.append(row)
            if int(identifier) <= covered:
                spans.append(span)
                continue
        span = (len(text), len(text) + len(form))
        text += form + ("" if "SpaceAfter=No" in misc else " ")
        if "-" not in identifier:
            spans.append(span)
    return Tree(
        text=text.rstrip(),
        forms=tuple(row[1] for row in words),
        spans=tuple(spans),
        upos=tuple(row[3] for row in words),
        heads=tuple(int(row[6]) - 1 for row in words),
        relations=tuple(row[7] for row in words),
    )
