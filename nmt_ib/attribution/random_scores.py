"""Random scores: what a method that knows nothing of the model reaches."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nmt_ib.attribution.outcome import outcome
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, Target


@dataclass(frozen=True)
class RandomScores:
    """Uniform scores between 0 and 1 for each word and answer; a baseline for benchmarks.

    Attributes:
        seed: Seed of the scores, which depend on it and on the sentence alone.
    """

    seed: int = 0

    def __call__(
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: Names the labels; it is not run.
            sources: Tokenised sentences.
            targets: Tokenised translations, or labels.
            batch_size: Changes nothing.

        Returns:
            One a sentence, in order.
        """
        return [self._one(model, source, target) for source, target in zip(sources, targets, strict=True)]

    def _one(self, model: EncoderModel, source: Sentence, target: Target) -> Attribution:
        length = len(target) if isinstance(target, Sentence) else 1
        drawn = torch.rand(len(source), length, generator=sentence_generator(self.seed, source.text))
        inside = torch.tensor(source.word_index) >= 0
        return outcome(model, source, target, method="random", matrix=drawn * inside[:, None], passes=0)
