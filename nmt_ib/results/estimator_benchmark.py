"""What a benchmark of estimators of information returns."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from nmt_ib.results.result import Document, Figure, Result

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class EstimatorRun:
    """One estimator on one sample.

    Attributes:
        task: Name of the pair of variables.
        exact_nats: Their information.
        estimator: Name of the estimator.
        seed: Of the sample, and of what is random in the estimator.
        nats: The estimate; None where there is none.
        seconds: Of processor time.
        notes: What the estimator warns of, or why there is no estimate.
    """

    task: str
    exact_nats: float
    estimator: str
    seed: int
    nats: float | None
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class EstimatorScore(Document):
    """One estimator on all samples of one task.

    Attributes:
        task: Name of the pair of variables.
        exact_nats: Their information.
        estimator: Name of the estimator.
        bias_nats: Mean estimate less the exact value; not a number where there is no estimate of every sample.
        spread_nats: Standard deviation of the estimates; not a number with a single one, too.
        rmse_nats: Root mean square of what estimates are off.
        seconds: Of processor time, mean.
        notes: What was said of any sample, each once.
    """

    task: str
    exact_nats: float
    estimator: str
    bias_nats: Figure
    spread_nats: Figure
    rmse_nats: Figure
    seconds: float
    notes: tuple[str, ...]

    @classmethod
    def of(cls, runs: Sequence[EstimatorRun]) -> "EstimatorScore":
        """The score of one estimator.

        Args:
            runs: On samples of one task, at least one.

        Returns:
            The score.
        """
        first = runs[0]
        errors = [math.nan if run.nats is None else run.nats - first.exact_nats for run in runs]
        bias = sum(errors) / len(errors)  # fmean refuses sums that overflow, as those of an exploded bound do
        known = not math.isnan(bias)
        spread = statistics.stdev(errors) if known and len(errors) > 1 else math.nan
        rmse = math.sqrt(sum(error * error for error in errors) / len(errors))
        seconds = statistics.fmean(run.seconds for run in runs)
        notes = tuple(dict.fromkeys(note for run in runs for note in run.notes))
        return cls(first.task, first.exact_nats, first.estimator, bias, spread, rmse, seconds, notes)

    def __str__(self) -> str:
        """Bias and, where there is one, spread; a star where there are notes."""
        spread = "" if math.isnan(self.spread_nats) else f" ± {signed_nats(self.spread_nats)[1:]}"
        return f"{signed_nats(self.bias_nats)}{spread}{'*' if self.notes else ''}"


@dataclass(frozen=True)
class EstimatorBenchmark(Result, Sequence[EstimatorRun]):
    """All estimators on all samples of all tasks, which shows itself in a notebook.

    Attributes:
        runs: By task, then by estimator, then by seed.
        samples: Pairs in each sample.
        signature: What produced it; see `RunSignature`.
    """

    runs: tuple[EstimatorRun, ...]
    samples: int
    signature: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of runs."""
        return len(self.runs)

    def __getitem__(self, index: Any) -> Any:
        """The run, or the slice of runs."""
        return self.runs[index]

    @property
    def exact_nats(self) -> dict[str, float]:
        """Task -> its information, in order."""
        return {run.task: run.exact_nats for run in self.runs}

    @property
    def estimators(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(dict.fromkeys(run.estimator for run in self.runs))

    @property
    def repetitions(self) -> int:
        """Samples of a task."""
        return len({run.seed for run in self.runs})

    @cached_property
    def scores(self) -> dict[tuple[str, str], EstimatorScore]:
        """Task and estimator -> bias and spread."""
        groups: dict[tuple[str, str], list[EstimatorRun]] = {}
        for run in self.runs:
            groups.setdefault((run.task, run.estimator), []).append(run)
        return {key: EstimatorScore.of(runs) for key, runs in groups.items()}

    def median_error_nats(self, estimator: str) -> float:
        """What an estimator is off, over tasks.

        Args:
            estimator: Its name.

        Returns:
            Median of the root mean squares; a task without an estimate counts as the worst, so that it may be infinite.
        """
        errors = [score.rmse_nats for (_, name), score in self.scores.items() if name == estimator]
        return statistics.median(math.inf if math.isnan(error) else error for error in errors)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What estimators warned of or why they refused, with the tasks on which they did."""
        said: dict[tuple[str, str], list[str]] = {}
        for score in self.scores.values():
            for note in score.notes:
                said.setdefault((score.estimator, note), []).append(score.task)
        return tuple(f"{estimator} on {', '.join(tasks)}: {note}" for (estimator, note), tasks in said.items())

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `scores` can be derived from the runs."""
        return {"scores": [score.to_dict() for score in self.scores.values()], **super().to_dict()}

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a task and estimator, with the fields of `EstimatorScore` as columns."""
        import pandas

        return pandas.DataFrame(map(asdict, self.scores.values()), columns=list(EstimatorScore.__dataclass_fields__))

    def _repr_html_(self) -> str:
        """Tasks as rows, estimators as columns with bias and spread, for a notebook; text is escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in ("task", "exact", *self.estimators))
        body = "".join(
            f"<tr><td>{escape(task)}</td><td>{exact:.3f}</td>"
            + "".join(f"<td>{self.scores.get((task, name), '')}</td>" for name in self.estimators)
            + "</tr>"
            for task, exact in self.exact_nats.items()
        )
        words = f"bias ± spread in nats; {self.repetitions} samples of {self.samples:,} pairs"
        remarks = "".join(f"<br>* {escape(remark)}" for remark in self.remarks)
        return f"<table><tr>{head}</tr>{body}</table><p>{words}{remarks}</p>"


def signed_nats(value: float) -> str:
    """A signed error in a few characters.

    Args:
        value: Nats; not a number where there is none.

    Returns:
        Three decimals, or the power of ten where it is out of all bounds.
    """
    if math.isnan(value):
        return "-"
    return f"{value:+.3f}" if abs(value) < 100 else f"{value:+.0e}"
