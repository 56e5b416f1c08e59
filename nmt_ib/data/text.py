"""Text, one sentence per line: a plain or gzipped file, a built-in sample, a sacrebleu test set or a data set."""

import gzip
import logging
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from nmt_ib.data.hub import DATA_SET, read_column
from nmt_ib.errors import RequestError

TEST_SET = "sacrebleu:"
BUILTIN = {"builtin:sample-en": "sample.en", "builtin:sample-pt": "sample.pt"}


def read_lines(name: str | Path) -> Iterator[str]:
    """Lines of a text, one at a time, in constant memory.

    Only a line feed ends a line: a sentence may contain any other character. A carriage return at the end of a line and
    a byte-order mark at the start of the text are removed.

    Args:
        name: A UTF-8 file, possibly gzipped (recognised by its first two bytes), a built-in sample
            (`builtin:sample-en`, `builtin:sample-pt`), the sources of a sacrebleu test set (`sacrebleu:wmt20/en-de`),
            or a column of a Hugging Face data set (see `read_column`).

    Yields:
        The lines without their line ends.

    Raises:
        RequestError: There is no such text, it cannot be read, or it is not UTF-8.
    """
    if str(name).startswith(DATA_SET):
        yield from read_column(str(name))
        return
    number = 0
    try:
        path = text_path(name)
        with gzip.open(path, "rb") if _is_gzipped(path) else open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{name}, line {number}: not UTF-8 ({error.reason}); convert it, for example with iconv"
        ) from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise RequestError(f"{name} is a damaged gzip file ({error}); download or compress it again") from error
    except OSError as error:  # no permission, a name that is too long, a disk that fails
        raise RequestError(f"cannot read {name}: {error.strerror or error}") from error


def text_path(name: str | Path) -> Path:
    """The file of a text.

    Args:
        name: See `read_lines`.

    Returns:
        An existing file.

    Raises:
        RequestError: There is no such file.
    """
    name = str(name)
    if name.startswith("builtin:"):
        if name not in BUILTIN:
            raise RequestError(f"unknown text {name!r}; built in: {', '.join(BUILTIN)}")
        return Path(__file__).parent / "samples" / BUILTIN[name]
    if name.startswith(TEST_SET):
        return sacrebleu_files(name)[0]
    path = Path(name)
    if path.is_dir():
        raise RequestError(f"{name} is a directory: expected a text file with one sentence per line")
    if not path.exists():
        raise RequestError(f"there is no file {name}")
    if not path.is_file():  # a pipe can be read only once: a second pass would find no lines
        raise RequestError(f"{name} is not a regular file: texts are read more than once, so write it to a file first")
    return path


def references(name: str) -> list[Path]:
    """The reference translations of a text.

    Args:
        name: See `read_lines`.

    Returns:
        One file per reference; none except for sacrebleu test sets.
    """
    return sacrebleu_files(name)[1:] if name.startswith(TEST_SET) else []


def sacrebleu_files(name: str) -> list[Path]:
    """Sources and references of a sacrebleu test set, which sacrebleu downloads if needed.

    Args:
        name: `sacrebleu:SET/SOURCE-TARGET`, for example `sacrebleu:wmt20/en-de`.

    Returns:
        The file of the sources, then one file per reference.

    Raises:
        RequestError: There is no such test set or language pair, or it cannot be downloaded.
    """
    from sacrebleu.utils import SACREBLEU_DIR, get_reference_files, get_source_file  # slow to import, and rarely needed

    test, pair = _test_and_pair(name)
    with _captured_log() as messages:
        try:
            files = [get_source_file(test, pair), *get_reference_files(test, pair)]
        # Exception, because sacrebleu passes on those of urllib, tarfile, zipfile, lxml and portalocker; SystemExit,
        # because it exits the process after a wrong checksum.
        except (Exception, SystemExit) as error:
            reason = (messages or [str(error).strip() or type(error).__name__])[0].splitlines()[0]
            raise RequestError(
                f"{name} cannot be downloaded; check the network, delete {Path(SACREBLEU_DIR, test)} if a download was "
                f"interrupted, or pass the set as a file ({reason})"
            ) from error
    return [Path(file) for file in files]


def _test_and_pair(name: str) -> tuple[str, str]:
    from sacrebleu.dataset import DATASETS

    path = name.removeprefix(TEST_SET)
    # Names of test sets contain slashes, too: wmt21/B is a test set, wmt21/B/en-de one of its language pairs.
    test, pair = (path, "") if path in DATASETS else path.rpartition("/")[::2]
    if test not in DATASETS:
        main = ", ".join(known for known in DATASETS if "/" not in known)
        raise RequestError(f"{name}: sacrebleu has no test set {test!r}; it has {main}; `sacrebleu --list` lists all")
    if pair not in DATASETS[test].langpairs:
        pairs = ", ".join(sorted(DATASETS[test].langpairs))
        raise RequestError(f"{name}: {test} has the pairs {pairs}; expected {TEST_SET}{test}/PAIR")
    return test, pair


@contextmanager
def _captured_log() -> Iterator[list[str]]:
    """Captures the log of sacrebleu, and redirects its standard output to standard error."""
    messages: list[str] = []

    def capture(record: logging.LogRecord) -> bool:
        messages.append(record.getMessage())
        return False

    logger = logging.getLogger("sacrebleu")
    logger.addFilter(capture)
    try:
        with redirect_stdout(sys.stderr):
            yield messages
    finally:
        logger.removeFilter(capture)


def _is_gzipped(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"\x1f\x8b"
