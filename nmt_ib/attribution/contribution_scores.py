"""Contributions as an attribution method, so that they can be compared with the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.assemble import assemble_attribution
from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.errors import RequestError
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target


@dataclass(frozen=True)
class ContributionScores(ContributionMethod):
    """Contribution of each source word to each target token, in bits, signed; settings as in `ContributionMethod`."""

    def __call__(  # type: ignore[override] # returns attributions instead of contributions
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: A translation model.
            sources: Tokenised sentences.
            targets: Tokenised translations.
            batch_size: Number of perturbed copies per forward pass; does not affect results.

        Returns:
            One per sentence, in order; the contribution of a word is divided evenly among its pieces.

        Raises:
            RequestError: The model is not a translation model.
        """
        if not isinstance(model, TranslationModel):
            raise RequestError(f"contributions explain translations, and {model.name} is not a translation model")
        translations = [target for target in targets if isinstance(target, Sentence)]
        contributions = super().__call__(model, sources, translations, batch_size=batch_size)
        return [
            assemble_attribution(
                model,
                source,
                target,
                method="contribution",
                unit="bits",
                matrix=_divide_among_pieces(source, contribution.matrix_bits),
                passes=len(source.words) * self.draws_per_word + (2 if self.shortlist else 1),
            )
            for source, target, contribution in zip(sources, translations, contributions, strict=True)
        ]


def _divide_among_pieces(source: Sentence, matrix: Float[Tensor, "W T"]) -> Float[Tensor, "S T"]:
    index = torch.tensor(source.word_index)
    share = torch.where(index < 0, 0, 1 / (index[:, None] == index).sum(1)).to(matrix)
    return (
        matrix[index.clamp(min=0)] * share[:, None] if len(matrix) else matrix.new_zeros(len(source), matrix.shape[1])
    )
