"""The run directory: run.json, sentences.jsonl, summary.json; safe against being killed at any moment."""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from nmt_ib.errors import RequestError
from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis
from nmt_ib.results.parsing import CompressionSweep
from nmt_ib.results.retention import RetentionSummary, SentenceRetention

# Command -> what a line and the summary of its run are.
KINDS: dict[str, tuple[Any, Any]] = {
    "diagnose": (SentenceDiagnosis, DiagnosisSummary),
    "retain": (SentenceRetention, RetentionSummary),
    "compress": (None, CompressionSweep),
}
Line = SentenceDiagnosis | SentenceRetention
RUN, REFERENCE, SENTENCES, SUMMARY = "run.json", "reference.json", "sentences.jsonl", "summary.json"
COMPARED = "compared"


class RunDirectory:
    """A directory that one run fills, chunk by chunk.

    Args:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @classmethod
    def existing(cls, path: Path) -> "RunDirectory":
        """The finished run in a directory.

        Args:
            path: What was given as `--out`.

        Returns:
            The run.

        Raises:
            RequestError: The directory holds no run, or one that has not ended.
        """
        run = cls(path)
        if not (run.path / RUN).is_file():
            raise RequestError(f"{path} holds no run: expected a directory that was given as --out")
        if not (run.path / SUMMARY).is_file():
            raise RequestError(f"the run in {path} has not ended: give its command again, it goes on where it was")
        return run

    def check(self, difference: str | None) -> None:
        """Refuses a directory that holds something else; writes nothing.

        Args:
            difference: What the caller found to differ from the run that is there, if anything.

        Raises:
            RequestError: The directory holds other files, or a run with other settings.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RequestError(f"{self.path} is a file: --out names a directory")
        if difference:
            raise RequestError(f"{self.path} holds another run: {difference}; choose another --out or remove it")
        if self.path.is_dir() and self.signature is None and any(not _ours(file) for file in self.path.iterdir()):
            raise RequestError(f"{self.path} holds other files: --out names a new directory, or a run to go on")

    @property
    def signature(self) -> dict[str, Any] | None:
        """What made the run; None where there is none yet."""
        return read_json(self.path / RUN) if (self.path / RUN).is_file() else None

    @property
    def reference(self) -> dict[str, Any] | None:
        """What the scores of a run that has begun are measured against; None where there is no run yet."""
        return read_json(self.path / REFERENCE) if (self.path / RUN).is_file() else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the directory this process's own.

        Yields:
            Nothing; no other process writes to the run inside the body.

        Raises:
            RequestError: Another process is at it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise RequestError(f"another process is writing to {self.path}") from error
        finally:
            os.close(descriptor)

    @property
    def command(self) -> str:
        """The study that made the run."""
        return (self.signature or {}).get("command", "diagnose")

    def begin(self, signature: dict[str, Any], reference: dict[str, Any] | None = None) -> None:
        """Writes what makes the run, unless the run has begun before.

        Args:
            signature: What makes the run.
            reference: What its scores are measured against, if anything.
        """
        if self.signature is None:
            if reference is not None:
                write_json(self.path / REFERENCE, reference)
            write_json(self.path / RUN, signature)

    def resume(self, chunk: int, total: int) -> int:
        """Cuts the sentences back to whole chunks.

        A chunk is computed as a whole, so that a run that was killed computes what an undisturbed one does.

        Args:
            chunk: Lines of one chunk.
            total: Lines of the whole run.

        Returns:
            Number of lines that are done.
        """
        path = self.path / SENTENCES
        if not path.exists():
            return 0
        ends = [0]
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    ends.append(ends[-1] + len(line))
        done = len(ends) - 1
        if done != total:
            done -= done % chunk
        os.truncate(path, ends[done])
        return done

    def append(self, sentences: Sequence[Line]) -> None:
        """Adds one chunk, all of it or nothing.

        Args:
            sentences: The lines that come next.

        Raises:
            OSError: The disk is full; the file is as it was before.
        """
        path = self.path / SENTENCES
        data = "".join(to_line(sentence) for sentence in sentences).encode()
        before = path.stat().st_size if path.exists() else 0
        try:
            with open(path, "ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            os.truncate(path, before)
            raise

    def sentences(self) -> Iterator[Any]:
        """The lines of the run, one at a time."""
        path = self.path / SENTENCES
        if not path.exists():
            return
        kind, _ = KINDS[self.command]
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file:
                with _readable(path):
                    sentence = kind.from_dict(json.loads(line))
                yield sentence

    def write_summary(self, summary: DiagnosisSummary | RetentionSummary) -> None:
        """Ends the run.

        Args:
            summary: What the corpus shows.
        """
        write_json(self.path / SUMMARY, summary.to_dict())

    def summary(self) -> Any:
        """What the corpus shows."""
        with _readable(self.path / SUMMARY):
            return KINDS[self.command][1].from_dict(read_json(self.path / SUMMARY))

    def compared(self, number: int) -> "RunDirectory":
        """Where the same study of another model is kept.

        Args:
            number: Of the other model, from 1.

        Returns:
            A run directory inside this one.
        """
        return RunDirectory(self.path / COMPARED / str(number))

    def summaries(self) -> dict[str, Any]:
        """Name of each model that was studied -> its summary, the run's own first."""
        others: list[RunDirectory] = []
        while (other := self.compared(len(others) + 1)).signature is not None:
            others.append(other)
        return {(run.signature or {}).get("model", ""): run.summary() for run in (self, *others)}


def to_line(sentence: Line) -> str:
    """One line of `sentences.jsonl`.

    Args:
        sentence: Any.

    Returns:
        A JSON object and a line feed; JSON escapes control characters, so any text stays one line.
    """
    return json.dumps(sentence.to_dict(), ensure_ascii=False) + "\n"


def _ours(file: Path) -> bool:
    """Whether a file is what a run leaves that was killed before it had begun."""
    return file.name == REFERENCE or file.name.endswith(".part")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(f"{path} is damaged ({error}); remove it, or the run that it belongs to") from error


def read_json(path: Path) -> Any:
    """Reads one JSON document.

    Args:
        path: The file.

    Returns:
        Plain data.

    Raises:
        RequestError: It is no JSON.
    """
    with _readable(path):
        return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A text file that appears whole or not at all.

    Args:
        path: Where it will be.

    Yields:
        A temporary file beside it, that takes its place when the body ends well and goes when it does not.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            yield file
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
