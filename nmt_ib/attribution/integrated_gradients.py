"""Integrated gradients: what each piece adds on the straight way from unknown pieces to the sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.gradient import answer_gradients, entered
from nmt_ib.attribution.outcome import outcome
from nmt_ib.attribution.question import Question, ask
from nmt_ib.batching import map_pairs_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target


@dataclass(frozen=True)
class IntegratedGradients:
    r"""Integral of the gradient of each answer's log-probability from a baseline :math:`b` to the sentence, in bits.

    .. math:: a_{it} = \sum_d (x_{id} - b_{id})
        \int_0^1 \frac{\partial \log_2 p(y_t | b + \alpha (x - b))}{\partial x_{id}} d\alpha

    In the baseline each piece but the special ones is the unknown piece; for a translation so is each token that the
    decoder has read, and source and target move together. The attributions to an answer, source and target prefix
    together, add up to what it gains: :math:`\log_2 p(y_t | x) - \log_2 p(y_t | b)`. How far they are from it is in
    `details["completeness_gap_bits"]`, the largest gap over the answers: take more steps where it is large.

    Attributes:
        steps: Points of the Gauss-Legendre rule for the integral.
        layer: Layer of the encoder whose output stands in for the embeddings; 0: the embeddings.

    References:
        Sundararajan et al. (2017), "Axiomatic Attribution for Deep Networks", section 3.
    """

    steps: int = 50
    layer: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise RequestError(f"integrated gradients need at least 1 step, not {self.steps}")

    @torch.inference_mode(False)
    @torch.no_grad()
    def __call__(
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: A translation model or a classifier; its weights and mode are left as they are.
            sources: Tokenised sentences.
            targets: Tokenised translations, or labels, in the same order.
            batch_size: Steps, of one sentence or of several, that go through the model at once; changes no result.

        Returns:
            One a sentence, in order.
        """

        def explain(sources: list[Sentence], targets: list[Target]) -> Iterator[Attribution]:
            question = ask(model, sources, targets)
            parts, gaps = self._integrals(question, batch_size)
            for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
                answers = int(question.answers[row].sum())
                matrix, *prefix = (part[row, :, :answers] for part in parts)
                yield outcome(
                    model,
                    source,
                    target,
                    method="integrated_gradients",
                    layer=self.layer,
                    unit="bits",
                    matrix=matrix[: len(source)],
                    prefix_matrix=prefix[0][:answers] if prefix else None,
                    passes=self.steps * (1 + answers) + 2,
                    details={"completeness_gap_bits": float(gaps[row])},
                )

        return map_pairs_in_batches(explain, sources, targets, max(1, batch_size // self.steps))

    def _integrals(
        self, question: Question, batch_size: int
    ) -> tuple[list[Float[Tensor, "B _ T"]], Float[Tensor, " B"]]:
        """Attributions of source and target prefix, and their completeness gaps."""
        inside = question.batch.word_index >= 0
        end = entered(question, question.inputs(), self.layer)
        start = entered(question, question.inputs(inside, question.answers), self.layer)
        start[0] = torch.where(inside[..., None], start[0], end[0])  # layers carry the unknown to the special pieces
        way = [last - first for first, last in zip(start, end, strict=True)]
        before, after = (question.logprobs(*states, from_layer=self.layer) for states in (start, end))
        nodes, widths = np.polynomial.legendre.leggauss(self.steps)
        rows = torch.arange(len(inside), device=inside.device).repeat_interleave(self.steps)
        shares, weights = (after.new_tensor(values).repeat(len(inside)) / 2 for values in (nodes + 1, widths))
        parts = [after.new_zeros(*states.shape[:2], after.shape[1]) for states in way]
        for step in torch.arange(len(rows), device=rows.device).split(batch_size):
            row, share = rows[step], shares[step, None, None]
            along = [states[row] for states in way]
            places = [first[row] + share * states for first, states in zip(start, along, strict=True)]
            slopes = answer_gradients(question.rows(row), places, along=along, layer=self.layer)
            for part, slope in zip(parts, slopes, strict=True):
                part.index_add_(0, row, slope * weights[step, None, None])
        total = torch.stack([part.sum(1) for part in parts]).sum(0)
        return parts, (total - (after - before) * BITS_PER_NAT).abs().amax(1)
