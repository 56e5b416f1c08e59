"""What each layer of a transformer tells about the words around it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from nmt_ib.results.result import Result

if TYPE_CHECKING:
    import pandas

CLUSTERS, INFONCE = "clusters", "infonce"


@dataclass(frozen=True)
class LayerKnowledge:
    """What the states of one layer tell about one thing.

    Attributes:
        layer: "encoder 3", "decoder 1".
        about: "word", "previous word", "next word", "part of speech" or "output".
        estimator: "clusters": I(cluster of the state; thing), corrected for the bias of counting. "infonce": the bound
            by a critic on states that it was not trained on. Both are at most I(state; thing).
        bits: The information.
        error_bits: Its standard error.
        shuffled_bits: Of clusters, the same with shuffled things, where the truth is 0: what is left of the bias. 0 of
            InfoNCE, which has none.
        ceiling_bits: What the estimator cannot exceed.
        entropy_bits: Of the thing itself, which no layer can tell more of.
        samples: States that were counted.
    """

    layer: str
    about: str
    estimator: str
    bits: float
    error_bits: float
    shuffled_bits: float
    ceiling_bits: float
    entropy_bits: float
    samples: int

    @property
    def beyond_chance_bits(self) -> float:
        """Bits without what is left of the bias."""
        return self.bits - self.shuffled_bits

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval, by the standard error."""
        return self.bits - 1.96 * self.error_bits, self.bits + 1.96 * self.error_bits


@dataclass(frozen=True)
class TransformerPlane(Result, Sequence[LayerKnowledge]):
    """All layers, things and estimators, which shows itself in a notebook.

    Attributes:
        rows: By layer, then by thing, then by estimator.
        signature: What produced it; see `RunSignature`.
    """

    rows: tuple[LayerKnowledge, ...]
    signature: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """The row, or the slice of rows."""
        return self.rows[index]

    def about(self, thing: str, estimator: str = CLUSTERS) -> dict[str, LayerKnowledge]:
        """Layer -> what it tells about one thing, by one estimator."""
        return {row.layer: row for row in self.rows if (row.about, row.estimator) == (thing, estimator)}

    @property
    def estimators(self) -> tuple[str, ...]:
        """What measured, in order."""
        return tuple(dict.fromkeys(row.estimator for row in self.rows))

    @property
    def things(self) -> tuple[str, ...]:
        """Names of the labels, in order."""
        return tuple(dict.fromkeys(row.about for row in self.rows))

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in order."""
        return tuple(dict.fromkeys(row.layer for row in self.rows))

    @property
    def points(self) -> tuple[dict[str, Any], ...]:
        """The plane proper, in bits beyond chance: I(word; T) and, where something is written, I(T; output)."""
        return tuple(
            {
                "layer": layer,
                "estimator": estimator,
                "i_x_bits": row.beyond_chance_bits,
                "i_y_bits": written and written.beyond_chance_bits,
            }
            for estimator in self.estimators
            for layer, row in self.about("word", estimator).items()
            for written in [self.about("output", estimator).get(layer)]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `points` can be derived from the rows."""
        return {"points": list(self.points), **super().to_dict()}

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a layer, thing and estimator."""
        import pandas

        return pandas.DataFrame([asdict(row) for row in self.rows])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)
