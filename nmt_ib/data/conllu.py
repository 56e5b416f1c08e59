"""Treebanks in the CoNLL-U format of Universal Dependencies."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError

TEXT = "# text = "
NUMBER = re.compile(r"[0-9]+([-.][0-9]+)?")


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
        RequestError: The file cannot be read, or a sentence of it is damaged: columns are missing, its words do not
            make one tree, or they are not those of its text.
    """
    rows: list[list[str]] = []
    text = None
    for number, line in enumerate(chain(read_lines(path), [""]), start=1):  # the last blank line may be missing
        if line.startswith(TEXT):
            text = line.removeprefix(TEXT).strip()
        elif not line.strip():
            if rows:
                yield _tree(rows, text, f"{path}, sentence before line {number}")
            rows, text = [], None
        elif not line.startswith("#"):
            rows.append(_row(line, f"{path}, line {number}"))


def _row(line: str, where: str) -> list[str]:
    row = line.split("\t")
    if len(row) != 10:
        raise RequestError(f"{where}: expected ten columns, found {len(row)}")
    if not NUMBER.fullmatch(row[0]):
        raise RequestError(f"{where}: expected the number of a word such as 3, 3-4 or 3.1, found {row[0]!r}")
    return row


def _tree(rows: Sequence[list[str]], text: str | None, where: str) -> Tree:
    """The tree; its text is put together from the words where no comment gives it."""
    words = [row for row in rows if row[0].isdecimal()]
    if [int(row[0]) for row in words] != list(range(1, len(words) + 1)):
        raise RequestError(f"{where}: its words are not numbered 1, 2, 3, ...")
    tokens = _surface_tokens(rows)
    if sum(length for _, length in tokens) != len(words):
        raise RequestError(f"{where}: the ranges of its multi-word tokens do not fit its {len(words)} words")
    if text is None:
        text = "".join(row[1] + ("" if "SpaceAfter=No" in row[9].split("|") else " ") for row, _ in tokens).rstrip()
    found = _locate([row[1] for row, _ in tokens], text, where)
    tree = Tree(
        text=text,
        forms=tuple(row[1] for row in words),
        spans=tuple(span for span, (_, length) in zip(found, tokens, strict=True) for _ in range(length)),
        upos=tuple(row[3] for row in words),
        heads=_heads(words, where),
        relations=tuple(row[7] for row in words),
    )
    if len(tree.descendants(tree.heads.index(-1))) != len(tree):
        raise RequestError(f"{where}: some of its words hang in a circle, not from the root")
    return tree


def _surface_tokens(rows: Sequence[list[str]]) -> list[tuple[list[str], int]]:
    """The rows that are written in the text, each with the number of its syntactic words."""
    tokens, covered = [], 0
    for row in rows:
        first, dash, last = row[0].partition("-")
        if dash:
            covered = int(last)
            tokens.append((row, covered - int(first) + 1))
        elif "." not in first and int(first) > covered:
            tokens.append((row, 1))
    return tokens


def _locate(forms: Sequence[str], text: str, where: str) -> list[tuple[int, int]]:
    """Character spans of tokens that follow each other with nothing but blanks between them."""
    spans, place = [], 0
    for form in forms:
        place += len(text[place:]) - len(text[place:].lstrip())
        if not text.startswith(form, place):
            raise RequestError(
                f"{where}: {form!r} is not at character {place} of its text; without the comment {TEXT.strip()!r} "
                "the text is put together from the words"
            )
        spans.append((place, place + len(form)))
        place += len(form)
    if text[place:].strip():
        raise RequestError(f"{where}: no word is given for {text[place:].strip()!r} at the end of its text")
    return spans


def _heads(words: Sequence[list[str]], where: str) -> tuple[int, ...]:
    """Heads counted from 0, -1 for the root."""
    for row in words:
        if not row[6].isdecimal() or int(row[6]) > len(words):
            raise RequestError(f"{where}: the head of word {row[0]} is {row[6]!r}, expected 0 to {len(words)}")
    heads = tuple(int(row[6]) - 1 for row in words)
    if heads.count(-1) != 1:
        raise RequestError(f"{where}: expected exactly one root, found {heads.count(-1)}")
    return heads
