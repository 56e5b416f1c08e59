"""The training objective of a compressed parser: the parser's nll and weighted rate terms."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.compression.tags import Tags
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT


@dataclass(frozen=True)
class CompressionObjective:
    r"""Nats per word, for continuous and discrete tags alike.

    .. math:: \frac1N \sum_i -\ln q(y_i|t) + \beta KL(p(t_i|x) \Vert r) + \gamma KL(p(t_i|x) \Vert s(t_i|\hat x_i))

    Attributes:
        beta: :math:`\beta`, weight of the rate term: information of a tag about its word in context.
        gamma: :math:`\gamma`, weight of the context term: information of a tag beyond its word's type.
        warmup: Fraction of training over which both weights rise linearly from 0.
        free_bits: Rate per word below which the rate term is 0.

    References:
        Li and Eisner (2019), equation 6. Differs from the authors' code, whose continuous rate is summed over a
        sentence and whose discrete rate is per word: here both are per word.
    """

    beta: float = 1e-2
    gamma: float = 0.0
    warmup: float = 0.0
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.beta < math.inf and 0 <= self.gamma < math.inf and 0 <= self.free_bits < math.inf):
            raise RequestError("beta, gamma and free_bits must be finite and at least 0")
        if not 0 <= self.warmup <= 1:
            raise RequestError(f"warmup must be a fraction of training, 0 to 1, not {self.warmup}")

    def __call__(self, nll: Float[Tensor, ""], tags: Tags, progress: float = 1.0) -> Float[Tensor, ""]:
        r"""The loss of a batch.

        Args:
            nll: Mean of :math:`-\ln q(y_i|t)` over words and samples.
            tags: The tags of the words; NaN rates count as 0.
            progress: Fraction of training completed, 0 to 1.

        Returns:
            Nats per word.
        """
        ramp = min(1.0, progress / self.warmup) if self.warmup else 1.0
        rate = (tags.rate_nats - self.free_bits / BITS_PER_NAT).clamp(min=0)
        penalty = self.beta * torch.nan_to_num(rate, 0.0).mean() + self.gamma * tags.context_nats.mean()
        return nll + ramp * penalty
