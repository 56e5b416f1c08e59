"""The directory that a command writes to: the one after `--out`, or one that goes when the command ends."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.reports.jsonfile import RunDirectory
    from nmt_ib.signature import RunSignature


@contextmanager
def run_directory(out: Path | None) -> "Iterator[RunDirectory]":
    """The run directory that was asked for, or one that goes when the command ends.

    Args:
        out: What was given as `--out`.

    Yields:
        The directory, not yet written to.

    Raises:
        RequestError: The disk is full, or it cannot be written to.
    """
    from nmt_ib.reports.jsonfile import RunDirectory

    try:
        if out is not None:
            yield RunDirectory(out)
        else:
            with tempfile.TemporaryDirectory() as folder:
                yield RunDirectory(Path(folder, "run"))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RequestError(f"no disk space left for {out}: free some, then the same command goes on") from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EPERM):
            raise RequestError(f"cannot write to {out}: {error.strerror}") from error
        raise


@contextmanager
def begun(out: Path | None, signature: "RunSignature") -> "Iterator[RunDirectory]":
    """The same, made this process's own; the run in it has begun, or is one to go on with.

    Args:
        out: What was given as `--out`.
        signature: What makes the run.

    Yields:
        The directory.
    """
    with run_directory(out) as run:
        run.check(signature.difference(run.signature) if run.signature else None)
        with run.locked():
            run.begin(signature.to_dict())
            yield run
