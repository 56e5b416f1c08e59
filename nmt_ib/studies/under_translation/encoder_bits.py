"""Bits that the encoder's last layer keeps of each source word."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nmt_ib.attribution.sigma import Sigma
from nmt_ib.attribution.statistics import CorpusStatistics
from nmt_ib.attribution.statistics_measurement import vocabulary_statistics
from nmt_ib.protocols import TranslationModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence

PRODUCTS = 8  # the error of a word's bits is then about half of the spread over words


@dataclass(frozen=True)
class EncoderBits:
    """Bits that the encoder's last layer keeps of the words of one sentence.

    Attributes:
        words: Bits of each word, the sum over its pieces, >= 0.
        per_dimension: The same per piece and dimension of the embedding, which makes words of one and of many pieces,
            and models of different width, comparable.
    """

    words: tuple[float, ...]
    # Sums over pieces were tried: none of 1,990 English words of several pieces fell below the 5 % quantile of its
    # kind, which words of one piece decide; per piece 2 % do.
    per_dimension: tuple[float, ...]


@dataclass(frozen=True)
class EncoderBitsMeasure:
    """The first-order approximation of `Sigma` at the encoder's last layer, relative to the model's vocabulary.

    It needs no corpus, and one forward and `PRODUCTS` backward passes through the encoder.

    Attributes:
        model: The model.
        batch_size: At most half of it are the sentences that go through the encoder at once; does not affect results
            beyond rounding.
    """

    model: TranslationModel
    batch_size: int = 32

    def __call__(self, sources: Sequence[Sentence]) -> list[EncoderBits]:
        """Measures sentences.

        Args:
            sources: Tokenised sources, each with at least one word.

        Returns:
            One object a sentence, in order; equal sentences keep equal bits, wherever they stand.
        """
        return [self._of_words(found) for found in self._sigma(self.model, sources, batch_size=self.batch_size)]

    @cached_property
    def _statistics(self) -> CorpusStatistics:
        return vocabulary_statistics(self.model)

    @cached_property
    def _sigma(self) -> Sigma:
        return Sigma(
            layer=self.model.encoder_layers,
            regularization="state",
            products=PRODUCTS,
            steps=0,
            pairs=1,
            statistics=self._statistics,
        )

    def _of_words(self, found: Attribution) -> EncoderBits:
        width, bits = len(self._statistics.layer(0).std), found.word_scores
        pieces = [found.word_index.count(word) for word in range(len(bits))]
        return EncoderBits(bits, tuple(value / (count * width) for value, count in zip(bits, pieces, strict=True)))
