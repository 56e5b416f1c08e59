"""Contributions as an attribution like any other, so that they can be compared with the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.attribution.outcome import outcome
from nmt_ib.errors import RequestError
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target


@dataclass(frozen=True)
class ContributionScores(ContributionMethod):
    """What each source word contributes to each target token, in bits; see `ContributionMethod` for the settings."""

    def __call__(  # type: ignore[override] # returns attributions in place of contributions
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: A translation model.
            sources: Tokenised sentences.
            targets: Tokenised translations.
            batch_size: Disturbed copies of sentences that go through the model at once; changes no result.

        Returns:
            One a sentence, in order; the pieces of a word share its contribution.

        Raises:
            RequestError: The model does not translate.
        """
        if not isinstance(model, TranslationModel):
            raise RequestError(f"contributions are those to a translation, and {model.name} does not translate")
        translations = [target for target in targets if isinstance(target, Sentence)]
        found = super().__call__(model, sources, translations, batch_size=batch_size)
        return [
            outcome(
                model,
                source,
                target,
                method="contribution",
                unit="bits",
                matrix=_of_pieces(source, contribution.matrix_bits),
                passes=len(source.words) * self.draws_per_word + (2 if self.shortlist else 1),
            )
            for source, target, contribution in zip(sources, translations, found, strict=True)
        ]


def _of_pieces(source: Sentence, matrix: Float[Tensor, "W T"]) -> Float[Tensor, "S T"]:
    index = torch.tensor(source.word_index)
    share = torch.where(index < 0, 0, 1 / (index[:, None] == index).sum(1)).to(matrix)
    return (
        matrix[index.clamp(min=0)] * share[:, None] if len(matrix) else matrix.new_zeros(len(source), matrix.shape[1])
    )
