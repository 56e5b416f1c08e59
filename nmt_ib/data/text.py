"""Text as users have it: one sentence a line, plain or gzipped, and the test sets of sacrebleu."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module, resources
from pathlib import Path

from nmt_ib.errors import RequestError

TEST_SET = "sacrebleu:"
BUILTIN = {"builtin:sample-en": "sample.en", "builtin:sample-pt": "sample.pt"}


def read_lines(name: str | Path) -> Iterator[str]:
    """Lines of a text, one at a time, so that memory stays flat.

    Only a line feed ends a line: a sentence may hold any other character. A carriage return before it is dropped.

    Args:
        name: A UTF-8 file, also gzipped (known by its first two bytes), a built-in sample (`builtin:sample-en`,
            `builtin:sample-pt`), or the sources of a sacrebleu test set (`sacrebleu:wmt20/en-de`).

    Yields:
        The lines without their ends.

    Raises:
        RequestError: There is no such file, or it is not UTF-8.
    """
    path = text_path(name)
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
    except OSError as error:
        raise RequestError(f"cannot read {name}: {error.strerror}") from error
    number = 0
    try:
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{name}, line {number}: not UTF-8 ({error.reason}); convert it, for example with iconv"
        ) from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise RequestError(f"{name} is a damaged gzip file ({error})") from error


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
    if str(name).startswith(TEST_SET):
        return sacrebleu_files(str(name))[0]
    path = Path(name)
    if path.is_dir():
        raise RequestError(f"{name} is a directory: expected a text file with one sentence a line")
    if not path.exists():
        raise RequestError(f"there is no file {name}")
    return path


def references(name: str) -> list[Path]:
    """The reference translations that come with a text.

    Args:
        name: See `read_lines`.

    Returns:
        One file a reference; none but for test sets of sacrebleu.
    """
    return sacrebleu_files(name)[1:] if name.startswith(TEST_SET) else []


def sacrebleu_files(name: str) -> list[Path]:
    """Sources and references of a test set, fetched by sacrebleu's own downloader where they are not there yet.

    Args:
        name: `sacrebleu:SET/SOURCE-TARGET`, for example `sacrebleu:wmt20/en-de`.

    Returns:
        The file of the sources, then one file a reference.

    Raises:
        RequestError: There is no such set or language pair, or it cannot be downloaded.
    """
    sacrebleu = import_module("sacrebleu.utils")  # slow to import, and few texts need it
    known = import_module("sacrebleu.dataset").DATASETS
    test, _, pair = name.removeprefix(TEST_SET).rpartition("/")
    if test not in known:
        raise RequestError(f"{name}: sacrebleu has no test set {test!r}; `sacrebleu --list` shows all")
    if pair not in known[test].langpairs:
        raise RequestError(f"{name}: {test} has the pairs {', '.join(sorted(known[test].langpairs))}")
    try:
        with redirect_stdout(sys.stderr):
            source = sacrebleu.get_source_file(test, pair)
            targets = sacrebleu.get_reference_files(test, pair)
    except (OSError, SystemExit) as error:  # its downloader ends the process where there is no network
        raise RequestError(f"{name} cannot be downloaded; check the network, or pass the set as a file") from error
    return [Path(source), *map(Path, targets)]
