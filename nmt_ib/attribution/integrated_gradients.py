"""Integrated gradients along the straight path from unknown pieces to the sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.assemble import assemble_attribution
from nmt_ib.attribution.gradient import inputs_at_layer, target_gradients
from nmt_ib.attribution.scoring import Scorer, target_scorer
from nmt_ib.batching import map_pairs_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target


@dataclass(frozen=True)
class IntegratedGradients:
    r"""Integral of the gradient of each target's log-probability from a baseline :math:`b` to the sentence, in bits.

    .. math:: a_{it} = \sum_d (x_{id} - b_{id})
        \int_0^1 \frac{\partial \log_2 p(y_t | b + \alpha (x - b))}{\partial x_{id}} d\alpha

    In the baseline each piece except special ones is the unknown piece; so is, for a translation, each token that the
    decoder reads, and source and target prefix are interpolated together. Completeness: the attributions of a target
    to source and prefix add up to :math:`\log_2 p(y_t | x) - \log_2 p(y_t | b)`. The largest difference over targets is
    `details["completeness_gap_bits"]`: increase `steps` where it is large.

    Attributes:
        steps: Number of nodes of the Gauss-Legendre rule for the integral, >= 1.
        layer: Encoder layer whose output replaces the embeddings :math:`x`, 0 to the number of layers; 0: the
            embeddings.

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
            model: A translation model or a classifier; its weights and mode are left unchanged.
            sources: Tokenised sentences.
            targets: Tokenised translations, or numbers of labels, in the same order.
            batch_size: Number of interpolated sentences per forward pass; does not affect results.

        Returns:
            One per sentence, in order.
        """

        def explain(sources: list[Sentence], targets: list[Target]) -> Iterator[Attribution]:
            scorer = target_scorer(model, sources, targets)
            integrals, gaps = self._integrals(scorer, batch_size)
            for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
                length = int(scorer.target_mask[row].sum())
                matrix, *prefix = (part[row, :, :length] for part in integrals)
                yield assemble_attribution(
                    model,
                    source,
                    target,
                    method="integrated_gradients",
                    layer=self.layer,
                    unit="bits",
                    matrix=matrix[: len(source)],
                    prefix_matrix=prefix[0][:length] if prefix else None,
                    passes=self.steps * (1 + length) + 2,
                    details={"completeness_gap_bits": float(gaps[row])},
                )

        return map_pairs_in_batches(explain, sources, targets, max(1, batch_size // self.steps))

    def _integrals(self, scorer: Scorer, batch_size: int) -> tuple[list[Float[Tensor, "B _ T"]], Float[Tensor, " B"]]:
        """Attributions of source and target prefix, and their completeness gaps, in bits."""
        words = scorer.batch.word_index >= 0
        end = inputs_at_layer(scorer, scorer.inputs(), self.layer)
        start = inputs_at_layer(scorer, scorer.inputs(words, scorer.target_mask), self.layer)
        start[0] = torch.where(words[..., None], start[0], end[0])  # layers mix the baseline into special pieces, too
        path = [last - first for first, last in zip(start, end, strict=True)]
        before, after = (scorer.logprobs(*states, from_layer=self.layer) for states in (start, end))
        nodes, node_weights = np.polynomial.legendre.leggauss(self.steps)
        rows = torch.arange(len(words), device=words.device).repeat_interleave(self.steps)
        alphas, weights = (after.new_tensor(values).repeat(len(words)) / 2 for values in (nodes + 1, node_weights))
        integrals = [after.new_zeros(*states.shape[:2], after.shape[1]) for states in path]
        for batch in torch.arange(len(rows), device=rows.device).split(batch_size):
            row, alpha = rows[batch], alphas[batch, None, None]
            along = [states[row] for states in path]
            points = [first[row] + alpha * states for first, states in zip(start, along, strict=True)]
            gradients = target_gradients(scorer.rows(row), points, along=along, layer=self.layer)
            for integral, gradient in zip(integrals, gradients, strict=True):
                integral.index_add_(0, row, gradient * weights[batch, None, None])
        total = torch.stack([integral.sum(1) for integral in integrals]).sum(0)
        return integrals, (total - (after - before) * BITS_PER_NAT).abs().amax(1)
