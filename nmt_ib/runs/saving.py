"""A result that was returned in memory as a run directory."""

from pathlib import Path

from nmt_ib.results.result import Result
from nmt_ib.runs.directory import Run, open_run
from nmt_ib.runs.loading import write_report
from nmt_ib.signature import RunSignature


def save(result: Result, out: str | Path) -> Path:
    """Writes the run directory of a result; see `Result.save`."""
    with open_run(out, RunSignature.from_dict(result.signature)) as run:
        _write(run, result)
        write_report(run.path, result)
    return run.path


def _write(run: Run, result: Result) -> None:
    if result.sentence_type is None:
        run.finish(result)
        return
    sentences = result.sentences  # type: ignore[attr-defined]  # a result with a type of sentences has them
    done = run.resume(chunk=1, total=len(sentences))
    run.append(sentences[done:])
    for number, other in enumerate(getattr(result, "compared", ()), start=1):
        with open_run(run.compared(number), RunSignature.from_dict(other.signature)) as inner:
            _write(inner, other)
    run.finish(result.summary)  # type: ignore[attr-defined]
