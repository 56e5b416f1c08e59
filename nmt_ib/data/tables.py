"""Tables of numbers in CSV files."""

import csv
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError

NUMBERS, POINTS = "rows of comma-separated numbers", "lines of name,i_x_bits,i_y_bits"


def read_numbers(path: str | Path) -> Float[np.ndarray, "R C"]:
    """A table of numbers without a header.

    Args:
        path: A CSV file, possibly gzipped; empty lines are skipped.

    Returns:
        Its rows and columns.

    Raises:
        RequestError: The file cannot be read, is empty, its rows differ in length, or a cell is not a number.
    """
    rows: list[list[float]] = []
    for number, cells in _rows(path, NUMBERS):
        if rows and len(cells) != len(rows[0]):
            raise RequestError(
                f"{path}, line {number}: expected {len(rows[0])} columns as in the first row, found {len(cells)}"
            )
        rows.append([_number(cell, path, number) for cell in cells])
    if not rows:
        raise RequestError(f"{path} is empty: expected {NUMBERS}")
    return np.array(rows)


def read_named_points(path: str | Path) -> list[tuple[str, float, float]]:
    """Named points of an information plane: `name,i_x_bits,i_y_bits`.

    Args:
        path: A CSV file, possibly gzipped; column names in the first line, and empty lines, are skipped.

    Returns:
        At least one name with its two numbers.

    Raises:
        RequestError: The file cannot be read, is empty, or a line is malformed.
    """
    points: list[tuple[str, float, float]] = []
    for number, cells in _rows(path, POINTS):
        if len(cells) != 3:
            raise RequestError(f"{path}, line {number}: expected name,i_x_bits,i_y_bits, found {len(cells)} columns")
        if points or number > 1 or [cell.strip() for cell in cells[1:]] != ["i_x_bits", "i_y_bits"]:
            i_x, i_y = (_number(cell, path, number) for cell in cells[1:])
            points.append((cells[0].strip(), i_x, i_y))
    if not points:
        raise RequestError(f"{path} is empty: expected {POINTS}")
    for name, *bits in points:
        if not all(0 <= value < np.inf for value in bits):
            raise RequestError(
                f"{path}: {name} has {bits[0]:g} and {bits[1]:g} bits: expected finite numbers, at least 0"
            )
    return points


def _rows(path: str | Path, expected: str) -> list[tuple[int, list[str]]]:
    if Path(path).is_dir():
        raise RequestError(f"{path} is a directory: expected a CSV file, {expected}")
    try:
        rows = enumerate(csv.reader(read_lines(path)), start=1)
        return [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise RequestError(f"{path} is not a CSV file: {error}") from error


def _number(cell: str, path: str | Path, line: int) -> float:
    try:
        return float(cell)
    except ValueError as error:
        raise RequestError(f"{path}, line {line}: expected a number, found {cell.strip()[:40]!r}") from error
