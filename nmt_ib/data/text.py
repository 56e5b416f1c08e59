"""Text as users have it: one sentence a line, plain or gzipped, and the test sets of sacrebleu."""

import gzip
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from nmt_ib.errors import RequestError

BUILTIN = {"builtin:sample-en": "sample.en", "builtin:sample-pt": "sample.pt"}


def read_lines(name: str | Path) -> Iterator[str]:
    """Lines of a text, one at a time, so that memory stays flat.

    Only a line feed ends a line: a sentence may hold any other character. A carriage return before it is dropped.

    Args:
        name: A UTF-8 file, also gzipped (known by its first two bytes), or the name of a built-in sample
            (`builtin:sample-en`, `builtin:sample-pt`).

    Yields:
        The lines without their ends.

    Raises:
        RequestError: There is no such file, or it is not UTF-8.
    """
    path = text_path(name)
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    number = 0
    try:
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise RequestError(f"{name}, line {number}: not UTF-8 ({error.reason}); convert it, for example with iconv") from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise RequestError(f"{name} is a damaged gzip file ({error})") from error


def count_lines(name: str | Path) -> int:
    """Number of lines; reads the whole text, so that a wrong byte is found before any work starts.

    Args:
        name: See `read_lines`.

    Returns:
        At least 1.

    Raises:
        RequestError: There is no such file, it is empty, or it is not UTF-8.
    """
    lines = sum(1 for _ in read_lines(name))
    if lines == 0:
        raise RequestError(f"{name} is empty: expected one sentence a line")
    return lines


def text_path(name: str | Path) -> Path:
    """The file behind a name.

    Args:
        name: See `read_lines`.

    Returns:
        An existing, readable file.

    Raises:
        RequestError: There is none.
    """
    if str(name).startswith("builtin:"):
        if name not in BUILTIN:
            raise RequestError(f"unknown text {name!r}; built in: {', '.join(BUILTIN)}")
        return Path(str(resources.files("nmt_ib.data") / "samples" / BUILTIN[str(name)]))
    path = Path(name)
    if path.is_dir():
        raise RequestError(f"{name} is a directory: expected a text file with one sentence a line")
    if not path.exists():
        raise RequestError(f"there is no file {name}")
    return path
