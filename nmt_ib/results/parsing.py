"""Results of training, testing and comparing compressed parsers."""

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from nmt_ib.results.result import Document, Result

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class ParserTest(Document):
    """Scores of a parser on a treebank; attachment scores are fractions, 0 to 1.

    Attributes:
        uas: Unlabelled attachment score: words with the correct head.
        las: Labelled attachment score: words with the correct head and universal relation.
        clas: Labelled attachment score of content words, F1.
        bits_per_token: Mean rate of a word's sampled tag, an upper bound of I(X;T); the scores are those of the mean or
            most likely tag. None where the tags have no finite rate.
        words: Number of words.
        sentences: Number of sentences.
        sentences_per_second: Parsing speed, without the time for word vectors.
    """

    uas: float
    las: float
    clas: float
    bits_per_token: float | None
    words: int
    sentences: int
    sentences_per_second: float


@dataclass(frozen=True)
class CompressionPoint:
    """One trained parser of a sweep, at its best epoch on the development set.

    Attributes:
        beta: Weight of the rate term; None where the tags have none.
        bits_per_token: Mean rate of a word's tag; None where the tags have no finite rate.
        uas: Unlabelled attachment score, 0 to 1.
        las: Labelled attachment score, 0 to 1.
        epoch: The best epoch, from 1.
        epochs: Number of epochs trained.
        directory: Directory of the parser, relative to that of the sweep; "." for a single parser.
    """

    beta: float | None
    bits_per_token: float | None
    uas: float
    las: float
    epoch: int
    epochs: int
    directory: str


@dataclass(frozen=True)
class CompressionSweep(Result):
    """Parsers that differ in beta only.

    Attributes:
        points: One for each beta, in the order in which they were requested.
        signature: Everything that affects the results; see `RunSignature.to_dict`.
    """

    points: tuple[CompressionPoint, ...]
    signature: dict[str, Any] = field(default_factory=dict)

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row for each parser."""
        import pandas

        return pandas.DataFrame([asdict(point) for point in self.points])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)


def finite_or_none(bits: float) -> float | None:
    """A rate, or None where it is NaN, which JSON cannot represent."""
    return bits if math.isfinite(bits) else None
