"""What training and testing of a compressed parser return."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class ParserTest:
    """How well a parser parses a treebank, and what that takes; shares are fractions.

    Attributes:
        uas: Share of words with the right head.
        las: Share of words with the right head and universal relation.
        clas: The same for content words, F1.
        bits_per_token: Mean rate of a sample of a word's tag, at least I(X;T); the scores are those of its mean, or of
            the likeliest tag. None where tags are no bottleneck.
        words: Number of words.
        sentences: Number of sentences.
        sentences_per_second: Sentences parsed in a second, vectors not counted.
    """

    uas: float
    las: float
    clas: float
    bits_per_token: float | None
    words: int
    sentences: int
    sentences_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class CompressionPoint:
    """One trained parser of a sweep, by its best epoch on the development set.

    Attributes:
        beta: Price of a nat of its tags; None where they have none.
        bits_per_token: Mean rate of a word's tag; None where tags are no bottleneck.
        uas: Share of words with the right head.
        las: Share of words with the right head and universal relation.
        epoch: The best epoch, from 1.
        epochs: Epochs trained.
        seconds: Of training, evaluation after each epoch included.
        directory: Where the parser is, from the sweep's own directory; "." for a single parser.
    """

    beta: float | None
    bits_per_token: float | None
    uas: float
    las: float
    epoch: int
    epochs: int
    seconds: float
    directory: str


@dataclass(frozen=True)
class CompressionSweep:
    """Parsers that differ in the price of their tags alone.

    Attributes:
        points: One a beta, in the order in which they were asked for.
        signature: What made them; see `RunSignature.to_dict`.
    """

    points: tuple[CompressionPoint, ...]
    signature: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"points": [asdict(point) for point in self.points], "signature": self.signature}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "CompressionSweep":
        """The sweep that `to_dict` gave."""
        return cls(tuple(CompressionPoint(**point) for point in data["points"]), data["signature"])

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a parser."""
        import pandas

        return pandas.DataFrame([asdict(point) for point in self.points])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)
