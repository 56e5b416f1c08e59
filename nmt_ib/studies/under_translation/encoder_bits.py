"""How much of each source word does the encoder still hold in its last states?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nmt_ib.attribution.sigma import Sigma
from nmt_ib.attribution.statistics import CorpusStatistics, vocabulary_statistics
from nmt_ib.protocols import TranslationModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence

PRODUCTS = 8  # the error of a word's bits is then about half of what words differ by


@dataclass(frozen=True)
class KeptBits:
    """What the encoder's last layer keeps of the words of one sentence.

    Attributes:
        words: Bits of each word, the sum over its pieces, >= 0.
        per_dimension: The same for one piece and one dimension of its embedding, so that words of one and of many
            pieces, and models of any width, can be compared.
    """

    words: tuple[float, ...]
    # Tried with sums over pieces: none of 1,990 English words of several pieces fell below the edge of its kind, whose
    # lowest 5 % are words of one piece; by the piece 2 % do.
    per_dimension: tuple[float, ...]


@dataclass(frozen=True)
class KeptByEncoder:
    """The measure: `Sigma` at the encoder's last layer, its first-order start alone, against the model's vocabulary.

    It needs no corpus, and one forward and `PRODUCTS` backward passes through the encoder.

    Attributes:
        model: The model.
        batch_size: Sentences that go through the encoder at once, at most half of it; changes no result.
    """

    model: TranslationModel
    batch_size: int = 32

    def __call__(self, sources: Sequence[Sentence]) -> list[KeptBits]:
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

    def _of_words(self, found: Attribution) -> KeptBits:
        width, bits = len(self._statistics.layer(0).std), found.word_scores
        pieces = [found.word_index.count(word) for word in range(len(bits))]
        return KeptBits(bits, tuple(value / (count * width) for value, count in zip(bits, pieces, strict=True)))
