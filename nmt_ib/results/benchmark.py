"""Result of a benchmark of attribution methods."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from nmt_ib.results.result import Figure, Result

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class BenchmarkRow:
    """One metric of one method.

    Attributes:
        method: Name of the method.
        metric: Name of the metric.
        setting: How it was measured: the operator that removes words, or how links are extracted from a matrix.
        value: The metric over all sentences; NaN if undefined.
        low: Lower end of its 95% bootstrap interval over sentences.
        high: Upper end of the interval.
        passes: Mean number of network passes per sentence.
        seconds: Mean time per sentence of the attribution, in seconds.
    """

    method: str
    metric: str
    setting: str
    value: Figure
    low: Figure
    high: Figure
    passes: float
    seconds: float


@dataclass(frozen=True)
class Benchmark(Result, Sequence[BenchmarkRow]):
    """A table of methods x metrics, displayed as HTML in a notebook.

    Attributes:
        rows: In the order of methods, settings and metrics.
        sentences: Number of sentences.
        answers: Number of answers: labels, target tokens, or sure gold links.
        signature: Signature of the run; see `RunSignature`.
    """

    rows: tuple[BenchmarkRow, ...]
    sentences: int
    answers: int
    signature: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """The row, or the slice of rows."""
        return self.rows[index]

    def of(self, method: str) -> tuple[BenchmarkRow, ...]:
        """The rows of one method."""
        return tuple(row for row in self.rows if row.method == method)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods, in order."""
        return tuple(dict.fromkeys(row.method for row in self.rows))

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Metric and setting of each column, in order."""
        return tuple(dict.fromkeys((row.metric, row.setting) for row in self.rows))

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row per metric, with the fields of `BenchmarkRow` as columns."""
        import pandas

        return pandas.DataFrame([asdict(row) for row in self.rows], columns=list(BenchmarkRow.__dataclass_fields__))

    def _repr_html_(self) -> str:
        """Methods as rows, metrics with their intervals as columns, for a notebook; text is escaped."""
        heads = ["method", *(f"{metric} ({setting})" for metric, setting in self.columns), "passes", "seconds"]
        lines = []
        for method in self.methods:
            rows = {(row.metric, row.setting): row for row in self.of(method)}
            cells = [_cell(rows.get(column)) for column in self.columns]
            first = next(iter(rows.values()))
            cost = [f"{first.passes:.0f}", f"{first.seconds:.3f}"]
            lines.append("".join(f"<td>{escape(cell)}</td>" for cell in (method, *cells, *cost)))
        head = "".join(f"<th>{escape(name)}</th>" for name in heads)
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table><tr>{head}</tr>{body}</table><p>{self.sentences} sentences, {self.answers} answers</p>"


def _cell(row: BenchmarkRow | None) -> str:
    return "" if row is None else f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]"
