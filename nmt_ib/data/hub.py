"""Columns of Hugging Face data sets as text, downloaded and cached by `datasets`."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from nmt_ib.errors import RequestError

DATA_SET = "hf:"
FORM = "hf:NAME:CONFIG:SPLIT:COLUMN, for example hf:Helsinki-NLP/opus-100:en-pt:test:translation.en"


def read_column(name: str) -> Iterator[str]:
    """One column of one split, row by row; the rows remain on disk.

    Args:
        name: `hf:NAME:CONFIG:SPLIT:COLUMN`. NAME is a data set of the hub or a directory, CONFIG may be empty, dots in
            COLUMN select nested fields.

    Yields:
        The texts, with line feeds replaced by spaces.

    Raises:
        RequestError: The name is malformed, or there is no such data set, split or column of text.
    """
    parts = name.removeprefix(DATA_SET).split(":")
    if len(parts) != 4 or not all((parts[0], *parts[2:])):
        raise RequestError(f"{name}: expected {FORM}")
    path, config, split, column = parts
    datasets = import_module("datasets")  # slow to import, and few texts need it
    datasets.disable_progress_bars()
    try:
        rows = datasets.load_dataset(path, config or None, split=split)
    except Exception as error:  # noqa: BLE001 - its readers raise exceptions of many types
        raise RequestError(f"{name} cannot be loaded: {[*str(error).splitlines(), type(error).__name__][0]}") from error
    for row in rows:
        yield _field(row, column, name).replace("\n", " ")


def _field(row: dict[str, Any], column: str, name: str) -> str:
    value: Any = row
    for key in column.split("."):
        if not isinstance(value, dict) or key not in value:
            raise RequestError(f"{name}: there is no column {column!r}; the columns are {', '.join(row)}")
        value = value[key]
    if not isinstance(value, str):
        raise RequestError(f"{name}: column {column!r} does not contain text")
    return value
