"""Random scores: the baseline of benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nmt_ib.attribution.assemble import assemble_attribution
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, Target


@dataclass(frozen=True)
class RandomScores:
    """Scores drawn uniformly from [0, 1) for each piece and target; the baseline of benchmarks.

    Attributes:
        seed: Seed of the scores, which depend on it and on the sentence only.
    """

    seed: int = 0

    def __call__(
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: The model, which names the labels; it is not run.
            sources: Tokenised sentences.
            targets: Tokenised translations, or numbers of labels.
            batch_size: Not used.

        Returns:
            One per sentence, in order.
        """
        return [self._attribution(model, source, target) for source, target in zip(sources, targets, strict=True)]

    def _attribution(self, model: EncoderModel, source: Sentence, target: Target) -> Attribution:
        length = len(target) if isinstance(target, Sentence) else 1
        drawn = torch.rand(len(source), length, generator=sentence_generator(self.seed, source.text))
        in_word = torch.tensor(source.word_index) >= 0
        return assemble_attribution(model, source, target, method="random", matrix=drawn * in_word[:, None], passes=0)
