"""What a benchmark of attribution methods returns."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class BenchmarkRow:
    """One figure of one method.

    Attributes:
        method: Name of the method.
        metric: Name of the figure.
        setting: How it was measured: how words are taken away, or how links are read off a matrix.
        value: The figure over all sentences; not a number where it is not defined.
        low: Lower end of its 95 % interval, by resampling sentences.
        high: Upper end.
        passes: Network passes a sentence, mean.
        seconds: Seconds a sentence, mean, of the attribution alone.
    """

    method: str
    metric: str
    setting: str
    value: float
    low: float
    high: float
    passes: float
    seconds: float


@dataclass(frozen=True)
class Benchmark(Sequence[BenchmarkRow]):
    """A table of methods x metrics that shows itself in a notebook.

    Attributes:
        rows: In the order of methods, settings and metrics.
        sentences: How many sentences were measured.
        answers: How many answers: labels, tokens of translations, or links by hand.
        signature: What made it; see `RunSignature.to_dict`.
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
        """Metric and setting of each figure that is measured, in order."""
        return tuple(dict.fromkeys((row.metric, row.setting) for row in self.rows))

    def to_dict(self) -> dict[str, Any]:
        """Plain data; a figure that is not defined is None, as JSON has no word for it."""
        rows = [{name: _plain(value) for name, value in asdict(row).items()} for row in self.rows]
        return {"rows": rows, "sentences": self.sentences, "answers": self.answers, "signature": self.signature}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Benchmark":
        """The inverse of `to_dict`, also after a journey through JSON.

        Args:
            fields: Plain data.

        Returns:
            An equal benchmark.
        """
        rows: list[dict[str, Any]] = fields["rows"]
        known: list[dict[str, Any]] = [
            {name: math.nan if value is None else value for name, value in row.items()} for row in rows
        ]
        return cls(**{**fields, "rows": tuple(BenchmarkRow(**row) for row in known)})

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a figure, with the fields of `BenchmarkRow` as columns."""
        import pandas

        return pandas.DataFrame([asdict(row) for row in self.rows], columns=list(BenchmarkRow.__dataclass_fields__))

    def _repr_html_(self) -> str:
        """Methods as rows, figures as columns with their intervals, for a notebook; text is escaped."""
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


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
