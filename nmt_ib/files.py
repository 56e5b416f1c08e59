"""Files that appear whole or not at all, locks between processes, and the user's cache folder."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from nmt_ib.errors import RequestError

PART = ".part"  # suffix of a file that is still being written
LOCK = ".lock"


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A UTF-8 text file that appears whole or not at all.

    Args:
        path: Where the file will be; its folder exists.

    Yields:
        An open file beside it, which takes its place when the body ends and is removed if the body raises.
    """
    with _beside(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        yield file


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a binary file, whole or not at all.

    Args:
        path: Where it goes; its folder exists.
        data: What it holds.
    """
    with _beside(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}{PART}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Writes one JSON document, whole or not at all.

    Args:
        path: Where it goes.
        value: Plain data.
    """
    with replacing(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


def read_json(path: Path) -> Any:
    """Reads one JSON document.

    Args:
        path: The file.

    Returns:
        Plain data.

    Raises:
        RequestError: The file cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{path} is damaged ({error}); remove it, or the run that it belongs to") from error


@contextmanager
def locked(folder: Path, *, wait: bool) -> Iterator[None]:
    """Holds a folder's lock, so that no other process of this package writes there.

    Args:
        folder: An existing folder.
        wait: Whether to wait for another process, or to fail at once.

    Yields:
        Nothing; the lock is held inside the body.

    Raises:
        RequestError: Another process holds the lock and `wait` is false.
    """
    lock = FileLock(folder / LOCK, timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout as error:
        raise RequestError(f"another process is writing to {folder}") from error
    try:
        yield
    finally:
        lock.release()


def cache_folder(name: str) -> Path:
    """A folder below the user's cache, which need not exist yet.

    Args:
        name: What is kept there.

    Returns:
        `$XDG_CACHE_HOME/nmt_ib/NAME` or `~/.cache/nmt_ib/NAME` on Linux, and the like elsewhere.
    """
    return user_cache_path("nmt_ib", appauthor=False) / name
