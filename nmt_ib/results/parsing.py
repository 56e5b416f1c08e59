"""Results of compressing, parsing and testing: trained parsers, dependency trees, scores."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from nmt_ib.results.result import Document, Result

if TYPE_CHECKING:
    import pandas

NOTEBOOK_ROWS = 40


@dataclass(frozen=True)
class CompressionPoint(Document):
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
    """Parsers that differ in beta only; `save` writes their scores, the parsers are in the run directory.

    Attributes:
        points: One for each beta, in the order in which they were requested.
        signature: Everything that affects the results; see `RunSignature`.
    """

    points: tuple[CompressionPoint, ...]
    signature: dict[str, Any] = field(default_factory=dict)

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row for each parser."""
        import pandas

        return pandas.DataFrame([asdict(point) for point in self.points])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)


@dataclass(frozen=True)
class ParsedSentence(Document):
    """One sentence with its predicted dependency tree.

    Attributes:
        text: The sentence.
        words: Its words.
        heads: Number of each word's head, from 1; 0 for the root.
        relations: Relation of each word to its head.
        conllu: The sentence in CoNLL-U, with the comments and other columns of its treebank.
    """

    text: str
    words: tuple[str, ...]
    heads: tuple[int, ...]
    relations: tuple[str, ...]
    conllu: str


@dataclass(frozen=True)
class Parses(Result, Sequence[ParsedSentence]):
    """Parsed sentences, in order.

    Attributes:
        sentences: The sentences.
        signature: Everything that affects the results; see `RunSignature`.
    """

    sentences: tuple[ParsedSentence, ...]
    signature: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.sentences)

    def __getitem__(self, index: Any) -> Any:
        """The sentence, or the slice of sentences."""
        return self.sentences[index]

    def to_conllu(self) -> str:
        """The sentences as a CoNLL-U file."""
        return "".join(sentence.conllu for sentence in self.sentences)

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row for each word: index of its sentence, its number, form, head and relation."""
        import pandas

        rows = [
            (index, number, *word)
            for index, sentence in enumerate(self.sentences)
            for number, word in enumerate(zip(sentence.words, sentence.heads, sentence.relations, strict=True), start=1)
        ]
        return pandas.DataFrame(rows, columns=["sentence", "number", "word", "head", "relation"])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False, max_rows=NOTEBOOK_ROWS)


@dataclass(frozen=True)
class ParserTest(Result):
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
        signature: Everything that affects the scores; see `RunSignature`.
    """

    uas: float
    las: float
    clas: float
    bits_per_token: float | None
    words: int
    sentences: int
    sentences_per_second: float
    signature: dict[str, Any] = field(default_factory=dict)

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row."""
        import pandas

        return pandas.DataFrame([{name: value for name, value in asdict(self).items() if name != "signature"}])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)


def finite_or_none(bits: float) -> float | None:
    """A rate, or None where it is NaN, which JSON cannot represent."""
    return bits if math.isfinite(bits) else None
