"""A run directory: new or resumed, never one that holds something else, written by one process at a time."""

import errno
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from nmt_ib.errors import RequestError
from nmt_ib.files import LOCK, PART, locked, read_json, write_json
from nmt_ib.results.result import Document
from nmt_ib.runs.sentences import StoredSentences, append, resume
from nmt_ib.signature import RunSignature

RUN, SENTENCES, SUMMARY, DRAFT, COMPARED = "run.json", "sentences.jsonl", "summary.json", "draft.json", "compared"
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
NOT_WRITABLE = (errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EPERM, errno.ENAMETOOLONG, errno.EINVAL)

Kind = TypeVar("Kind", bound=Document)


class Run:
    """A directory that one run fills, chunk by chunk.

    Args:
        path: The directory, which need not exist; None: a temporary one, deleted with the last reference to it.
    """

    def __init__(self, path: str | Path | None) -> None:
        self._temporary = TemporaryFolder() if path is None else None
        self.path = self._temporary.path if self._temporary else Path(str(path))

    @property
    def signature(self) -> dict[str, Any] | None:
        """What produced the run; None where there is none yet."""
        return stored_document(self.path / RUN)

    @property
    def command(self) -> str:
        """The study that produced the run; "" where there is none yet."""
        return str((self.signature or {}).get("command", ""))

    @property
    def finished(self) -> bool:
        """Whether the run has its summary."""
        return (self.path / SUMMARY).is_file()

    def check(self, signature: RunSignature | None = None) -> None:
        """Raises RequestError if the directory cannot hold a run, and writes nothing.

        Args:
            signature: The run that is to be written there; None: only what can be said without knowing it.

        Raises:
            RequestError: The path is a file, or the directory holds other files or another run.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RequestError(f"{self.path} is a file: --out names a directory")
        known = self.signature
        if known is None and self.path.is_dir() and not all(map(_left_by_a_killed_run, self.path.iterdir())):
            raise RequestError(f"{self.path} holds other files: --out names a new directory, or a run to resume")
        if known is None or signature is None:
            return
        if known.get("command") != signature.command:
            command = known.get("command")
            raise RequestError(
                f"{self.path} holds a run of {command}, not of {signature.command}: choose another --out"
            )
        if difference := signature.difference(known):
            raise RequestError(f"{self.path} holds another run: {difference}; choose another --out or remove it")

    def resume(self, chunk: int, total: int) -> int:
        """Cuts the sentences back to whole chunks; see `nmt_ib.runs.sentences.resume`."""
        return resume(self.path / SENTENCES, chunk, total)

    def append(self, sentences: Sequence[Document]) -> None:
        """Adds one chunk, all of it or nothing; see `nmt_ib.runs.sentences.append`."""
        append(self.path / SENTENCES, sentences)

    def sentences(self, kind: type[Kind]) -> Sequence[Kind]:
        """The lines of the run, read from disk when they are asked for.

        Args:
            kind: Type of a line.

        Returns:
            All of them.
        """
        return StoredSentences(self.path / SENTENCES, kind, self._temporary)

    def draft(self, kind: type[Kind]) -> Kind | None:
        """What an unfinished study that does not work by sentences has so far.

        Args:
            kind: Type of the document.

        Returns:
            What `write_draft` wrote last; None where there is nothing yet.
        """
        path = self.path / DRAFT
        return read_document(path, kind) if path.is_file() else None

    def write_draft(self, document: Document) -> None:
        """Writes down what a study has so far, in place of what it wrote before.

        Args:
            document: The document.
        """
        write_json(self.path / DRAFT, document.to_dict())

    def finish(self, summary: Document) -> None:
        """Writes the summary, which marks the run as finished.

        Args:
            summary: What the study found as a whole.
        """
        write_json(self.path / SUMMARY, summary.to_dict())
        (self.path / DRAFT).unlink(missing_ok=True)

    def compared(self, number: int) -> Path:
        """Where the same study of another model is kept.

        Args:
            number: Number of the other model, from 1.

        Returns:
            A run directory inside this one.
        """
        return self.path / COMPARED / str(number)


class TemporaryFolder:
    """A folder that is deleted with the last reference to it, or when the process ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="nmt_ib-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@contextmanager
def open_run(
    out: str | Path | None, signature: RunSignature, documents: Mapping[str, Any] | None = None
) -> Iterator[Run]:
    """The run directory of a study, new or resumed, held by this process.

    Args:
        out: The directory; None: a temporary one, deleted with the last reference to the run or its sentences.
        signature: What decides the run's numbers.
        documents: File name -> plain data that a new run starts with.

    Yields:
        The run.

    Raises:
        RequestError: The directory holds something else, another process is writing to it, it cannot be written to,
            or the disk is full.
    """
    try:
        run = Run(out)
        run.check(signature)
        run.path.mkdir(parents=True, exist_ok=True)
        with locked(run.path, wait=False):
            run.check(signature)  # another process may have begun it in between
            _begin(run, signature, documents or {})
            yield run
    except OSError as error:
        if error.errno in FULL_DISK:
            raise RequestError(f"no disk space left for {out}: free some, then rerun the command to resume") from error
        if error.errno in NOT_WRITABLE:
            raise RequestError(f"cannot write to {out}: {error.strerror}") from error
        raise


def stored_document(path: Path) -> dict[str, Any] | None:
    """A JSON object that a run may hold.

    Args:
        path: The file.

    Returns:
        Plain data; None where there is no such file.

    Raises:
        RequestError: The file holds something else.
    """
    if not path.is_file():
        return None
    fields = read_json(path)
    if not isinstance(fields, dict):
        raise RequestError(f"{path} is damaged: expected one JSON object; remove the run directory")
    return fields


def read_document(path: Path, kind: type[Kind]) -> Kind:
    """A result, or a part of one, from its file.

    Args:
        path: The file.
        kind: Type of the document.

    Returns:
        The document.

    Raises:
        RequestError: The file is missing or damaged.
    """
    try:
        return kind.from_dict(read_json(path))
    except RequestError:
        raise
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise RequestError(f"{path} is damaged ({reason}); remove it, or the run directory") from error


def _begin(run: Run, signature: RunSignature, documents: Mapping[str, Any]) -> None:
    if run.signature is None:
        for name, fields in documents.items():
            write_json(run.path / name, fields)
        write_json(run.path / RUN, signature.to_dict())


def _left_by_a_killed_run(file: Path) -> bool:
    return file.name in (LOCK, "reference.json") or file.name.endswith(PART)
