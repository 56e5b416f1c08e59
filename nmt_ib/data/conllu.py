"""Treebanks in the CoNLL-U format of Universal Dependencies."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError
from nmt_ib.types import Tree, Word

TEXT = "# text = "
NUMBER = re.compile(r"([0-9]+)(?:([-.])([0-9]+))?")
COLUMNS = 10
ID, FORM, UPOS, HEAD, DEPREL, DEPS, MISC = 0, 1, 3, 6, 7, 8, 9
NO_SPACE = "SpaceAfter=No"  # no space before the next word


class _Row(NamedTuple):
    """A line of columns, its location and its id: 3 is a word, 3-4 a multi-word token, 3.1 an empty node."""

    where: str
    columns: list[str]
    first: int
    mark: str
    last: int


def read_conllu(path: str | Path, *, heads: bool = True) -> Iterator[Tree]:
    """Trees of a treebank, one at a time.

    A block of comments is a sentence without words.

    Args:
        path: A `.conllu` file, possibly gzipped.
        heads: Whether to read heads and relations; if not, they are empty in the result and not checked in the file.

    Yields:
        The trees in order.

    Raises:
        RequestError: The file cannot be read, or a sentence is malformed: columns are missing, the words do not form a
            tree, or they do not match the text.
    """
    block: list[tuple[str, str]] = []
    for number, line in enumerate(chain(read_lines(path), [""]), start=1):  # the last blank line may be missing
        if line.strip():
            block.append((f"{path}, line {number}", line))
        elif block:
            yield _tree(block, heads)
            block = []


def write_conllu(path: str | Path, trees: Iterable[Tree]) -> None:
    """Writes a treebank; sentences that were read and not changed are written as they were.

    Args:
        path: The file.
        trees: The sentences in order.

    Raises:
        RequestError: The file cannot be written.
    """
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(format_tree(tree) for tree in trees)
    except OSError as error:
        raise RequestError(f"cannot write {path}: {error.strerror or error}") from error


def format_tree(tree: Tree) -> str:
    """One sentence of a treebank.

    Args:
        tree: A sentence that was read or built by the functions of this module.

    Returns:
        Its lines, including the final blank line.
    """
    return "".join(f"{line}\n" for line in (*tree.lines, ""))


def words_tree(text: str, words: Sequence[Word]) -> Tree:
    """An unparsed sentence from words.

    Args:
        text: The sentence.
        words: Its words, in order, which cover all of the text except white space.

    Returns:
        The sentence without heads; only form, part of speech and `SpaceAfter` are set.
    """
    lines = [(TEXT + text.strip()).rstrip()]
    adjacent = {left for left, right in pairwise(words) if left.end == right.start}
    for number, word in enumerate(words, start=1):
        misc = NO_SPACE if word in adjacent else "_"
        lines.append("\t".join([str(number), word.text, "_", word.pos or "_", *"_____", misc]))
    return Tree(
        text=text,
        forms=tuple(word.text for word in words),
        spans=tuple((word.start, word.end) for word in words),
        upos=tuple(word.pos or "_" for word in words),
        heads=(),
        relations=(),
        lines=tuple(lines),
    )


def with_heads(tree: Tree, heads: Sequence[int], relations: Sequence[str]) -> Tree:
    """The sentence with another tree, for example that of a parser.

    Only the columns of the basic tree change. The enhanced graph and its empty nodes, which no longer fit, are removed.

    Args:
        tree: The sentence.
        heads: Index of each word's head, from 0; -1 for the root.
        relations: Relation of each word to its head.

    Returns:
        The changed sentence.
    """
    edges = list(zip(tree.forms, heads, relations, strict=True))
    lines = []
    for line in tree.lines:
        number = line.partition("\t")[0]
        if line.startswith("#") or "-" in number:
            lines.append(line)
        elif "." not in number:
            columns = line.split("\t")
            _, head, columns[DEPREL] = edges[int(number) - 1]
            columns[HEAD], columns[DEPS] = str(head + 1), "_"
            lines.append("\t".join(columns))
    return replace(tree, heads=tuple(heads), relations=tuple(relations), lines=tuple(lines))


def _tree(block: Sequence[tuple[str, str]], parsed: bool) -> Tree:
    """The tree of a block of lines; without a text comment, the text is built from the words."""
    rows = [_row(where, line) for where, line in block if not line.startswith("#")]
    tokens = _surface_tokens(rows)
    words = [row for row in rows if not row.mark]
    texts = [line.removeprefix(TEXT).strip() for _, line in block if line.startswith(TEXT)]
    text = texts[-1] if texts else _joined_text([row.columns for row, _ in tokens])
    spans = _locate([row for row, _ in tokens], text)
    return Tree(
        text=text,
        forms=tuple(row.columns[FORM] for row in words),
        spans=tuple(span for span, (_, length) in zip(spans, tokens, strict=True) for _ in range(length)),
        upos=tuple(row.columns[UPOS] for row in words),
        heads=_heads(words) if parsed else (),
        relations=tuple(row.columns[DEPREL] for row in words) if parsed else (),
        lines=tuple(line for _, line in block),
    )


def _row(where: str, line: str) -> _Row:
    columns = line.split("\t")
    if len(columns) != COLUMNS:
        raise RequestError(f"{where}: expected ten columns, found {len(columns)}")
    if "" in columns:
        raise RequestError(f"{where}: column {columns.index('') + 1} is empty, expected at least _")
    number = NUMBER.fullmatch(columns[ID])
    if number is None:
        raise RequestError(f"{where}: expected an id such as 3, 3-4 or 3.1, found {columns[ID]!r}")
    first, mark, last = number.groups("")
    return _Row(where, columns, int(first), mark, int(last or first))


def _surface_tokens(rows: Sequence[_Row]) -> list[tuple[_Row, int]]:
    """The rows of surface tokens, each with the number of its syntactic words."""
    tokens, words, covered = [], 0, 0
    for row in rows:
        if row.first != (words if row.mark == "." else words + 1):
            raise RequestError(f"{row.where}: its id is {row.columns[ID]}, but that of the previous word was {words}")
        if row.mark == "-":
            if words < covered or row.last <= words:
                raise RequestError(f"{row.where}: the range {row.columns[ID]} is empty or begins inside another")
            covered = row.last
            tokens.append((row, covered - words))
        elif not row.mark:
            words += 1
            if words > covered:
                tokens.append((row, 1))
    if words < covered:
        row = tokens[-1][0]
        raise RequestError(f"{row.where}: the range {row.columns[ID]} exceeds the sentence's {words} words")
    return tokens


def _joined_text(tokens: Sequence[list[str]]) -> str:
    """The text, with a space between tokens unless `SpaceAfter=No` says otherwise."""
    return "".join(row[FORM] + ("" if NO_SPACE in row[MISC].split("|") else " ") for row in tokens).rstrip()


def _locate(tokens: Sequence[_Row], text: str) -> list[tuple[int, int]]:
    """Character spans of consecutive tokens, separated by nothing but white space."""
    spans, start = [], 0
    for token in tokens:
        form = token.columns[FORM]
        start += len(text[start:]) - len(text[start:].lstrip())
        if not text.startswith(form, start):
            raise RequestError(
                f"{token.where}: {form!r} is not at character {start} of the sentence's text; without the comment "
                f"{TEXT.strip()!r} the text is built from the words"
            )
        spans.append((start, start + len(form)))
        start += len(form)
    if tokens and text[start:].strip():
        raise RequestError(
            f"{tokens[-1].where}: the text ends with {text[start:].strip()!r}, for which there is no word"
        )
    return spans


def _heads(words: Sequence[_Row]) -> tuple[int, ...]:
    """Indices of the heads, from 0; -1 for the root."""
    for word in words:
        head = word.columns[HEAD]
        if not head.isdecimal() or int(head) > len(words):
            raise RequestError(f"{word.where}: the head of word {word.first} is {head!r}, expected 0 to {len(words)}")
    heads = tuple(int(word.columns[HEAD]) - 1 for word in words)
    roots = [word for word, head in zip(words, heads, strict=True) if head == -1]
    if words and len(roots) != 1:
        raise RequestError(f"{(roots[1:] or words)[0].where}: expected exactly one root, found {len(roots)}")
    if cycle := _cycle(heads):
        path = " -> ".join(str(word + 1) for word in [*cycle, cycle[0]])
        raise RequestError(f"{words[cycle[0]].where}: the heads of some words form a cycle, {path}")
    return heads


def _cycle(heads: Sequence[int]) -> list[int]:
    """Words of a cycle, each followed by its head; none in a tree."""
    acyclic = {-1}
    for word in range(len(heads)):
        path: list[int] = []
        while word not in acyclic and word not in path:
            path.append(word)
            word = heads[word]
        if word in path:
            return path[path.index(word) :]
        acyclic.update(path)
    return []
