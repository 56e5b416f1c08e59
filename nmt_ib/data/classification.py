"""SST-2-shaped files: tab-separated, a label and a sentence a line."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError

COLUMNS = ("label", "sentence")


def read_labelled(path: str | Path) -> Iterator[tuple[str, int]]:
    """Sentences and their labels, one at a time, so that memory stays flat.

    There is no quoting: a tab ends a column and a line feed ends a line, whatever else a sentence holds. White space
    around a sentence, which GLUE has, is dropped.

    Args:
        path: A UTF-8 file, also gzipped, whose first line names the columns: `label` and `sentence`, in either order.

    Yields:
        Sentence and label.

    Raises:
        RequestError: The file cannot be read, its first line names other columns, a line has more or fewer than two
            columns, or a label is no whole number from 0 on.
    """
    lines = read_lines(path)
    header = next(lines, "").split("\t")
    if sorted(header) != sorted(COLUMNS):
        raise RequestError(
            f"{path}, line 1: expected the names of the columns, label and sentence with a tab between; found {header}"
        )
    label_at = header.index("label")
    for number, line in enumerate(lines, start=2):
        columns = line.split("\t")
        if len(columns) != len(COLUMNS):
            raise RequestError(f"{path}, line {number}: expected 2 columns with a tab between, found {len(columns)}")
        label = columns[label_at]
        if not (label.isascii() and label.isdecimal()):
            raise RequestError(f"{path}, line {number}: expected a label such as 0 or 1, found {label[:40]!r}")
        yield columns[1 - label_at].strip(), int(label)


def read_sentences(name: str | Path, most: int | None = None) -> list[str]:
    """The first sentences of a text, or of a table of labels and sentences, whose labels are not read.

    Args:
        name: See `read_lines` and `read_labelled`; a first line that names the columns makes it a table.
        most: How many; None: all.

    Returns:
        At least one.

    Raises:
        RequestError: There is none, or the file cannot be read.
    """
    labelled = sorted(next(iter(read_lines(name)), "").split("\t")) == sorted(COLUMNS)
    found = list(islice((text for text, _ in read_labelled(name)) if labelled else read_lines(name), most))
    if not found:
        raise RequestError(f"{name} is empty: expected one sentence a line")
    return found
