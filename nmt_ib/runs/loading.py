"""A run directory as the result that its study returned, and its report made anew."""

from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

from nmt_ib.catalog import REPORTS, RESULTS
from nmt_ib.errors import RequestError
from nmt_ib.results.result import Result
from nmt_ib.runs.directory import RUN, SENTENCES, SUMMARY, Run, read_document
from nmt_ib.runs.sentences import StoredSentences


def load_run(run: str | Path) -> Result:
    """The result of a finished run.

    Args:
        run: A directory that was given as `out`.

    Returns:
        What the study returned; its sentences stay on disk.

    Raises:
        RequestError: The directory holds no run, one that has not finished, or damaged files.
    """
    found = Run(run)
    signature = found.signature
    if signature is None:
        raise RequestError(f"{run} holds no run: expected a directory that was given as --out")
    if found.command not in RESULTS:
        raise RequestError(f"{run}/{RUN} names the unknown command {found.command!r}")
    if not found.finished:
        raise RequestError(f"the run in {run} has not finished: rerun its command to resume")
    kind = named(RESULTS[found.command])
    if kind.sentence_type is None:
        result: Result = read_document(found.path / SUMMARY, kind)
        return result
    sentences = StoredSentences(found.path / SENTENCES, kind.sentence_type)
    summary = read_document(found.path / SUMMARY, kind.summary_type)
    if "compared" not in {field.name for field in fields(kind)}:
        return kind(sentences, summary, signature)
    others: list[Result] = []
    while Run(other := found.compared(len(others) + 1)).signature is not None:
        others.append(load_run(other))
    return kind(sentences, summary, signature, tuple(others))


def render(run: str | Path) -> list[Path]:
    """Writes the report and the figures of a finished run again, without a model.

    Args:
        run: A directory that was given as `out`.

    Returns:
        The files.

    Raises:
        RequestError: The directory holds no finished run, or damaged files.
    """
    return write_report(Path(run), load_run(run))


def write_report(directory: Path, result: Result) -> list[Path]:
    """Writes the report and the figures of a result.

    Args:
        directory: Where they go.
        result: What a study returned.

    Returns:
        The files.
    """
    files: list[Path] = named(REPORTS[result.signature["command"]])(directory, result)
    return files


def named(path: str) -> Any:
    """What a dotted path of the catalog names."""
    module, _, attribute = path.rpartition(".")
    return getattr(import_module(module), attribute)
