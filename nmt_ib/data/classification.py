"""Labelled sentences in the format of SST-2: tab-separated, one label and one sentence per line."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError

COLUMNS = ("label", "sentence")


def read_labelled(path: str | Path) -> Iterator[tuple[str, int]]:
    """Sentences and their labels, one at a time, in constant memory.

    There is no quoting: tabs separate columns and line feeds end lines. White space around a sentence, as in GLUE, is
    removed.

    Args:
        path: A UTF-8 file, possibly gzipped, whose first line names the columns `label` and `sentence`, in any order.

    Yields:
        Sentence and label.

    Raises:
        RequestError: The file cannot be read, its first line names other columns, a line has more or fewer than two
            columns, or a label is not a non-negative integer.
    """
    lines = read_lines(path)
    header = next(lines, "").split("\t")
    if sorted(header) != sorted(COLUMNS):
        raise RequestError(
            f"{path}, line 1: expected the column names label and sentence, separated by a tab; found {header}"
        )
    label_at = header.index("label")
    for number, line in enumerate(lines, start=2):
        columns = line.split("\t")
        if len(columns) != len(COLUMNS):
            raise RequestError(f"{path}, line {number}: expected 2 columns separated by a tab, found {len(columns)}")
        label = columns[label_at]
        if not (label.isascii() and label.isdecimal()):
            raise RequestError(f"{path}, line {number}: expected a label such as 0 or 1, found {label[:40]!r}")
        yield columns[1 - label_at].strip(), int(label)


def read_sentences(name: str | Path, limit: int | None = None) -> list[str]:
    """The first sentences of a text, or of a file of labelled sentences, whose labels are ignored.

    Args:
        name: See `read_lines` and `read_labelled`; recognised as labelled by the column names in the first line.
        limit: Maximum number of sentences; None: all.

    Returns:
        At least one sentence.

    Raises:
        RequestError: The file is empty or cannot be read.
    """
    labelled = sorted(next(iter(read_lines(name)), "").split("\t")) == sorted(COLUMNS)
    sentences = list(islice((text for text, _ in read_labelled(name)) if labelled else read_lines(name), limit))
    if not sentences:
        raise RequestError(f"{name} is empty: expected one sentence per line")
    return sentences
