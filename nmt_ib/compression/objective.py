"""What a compressed parser minimises: the parser's nll, and the price of what it was told."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.compression.tags import Tags
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT


@dataclass(frozen=True)
class Objective:
    r"""Nats per word, for continuous and discrete tags alike.

    .. math:: \frac1N \sum_i -\ln q(y_i|t) + \beta KL(p(t_i|x) \Vert r) + \gamma KL(p(t_i|x) \Vert s(t_i|\hat x_i))

    Attributes:
        beta: :math:`\beta`, the price of a nat that a tag tells of its word in its sentence.
        gamma: :math:`\gamma`, the price of a nat that a tag tells beyond its word's type.
        warmup: Share of training over which both prices rise from 0.
        free_bits: Rate of each word that costs nothing.

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
            raise RequestError("beta, gamma and free bits are finite numbers, at least 0")
        if not 0 <= self.warmup <= 1:
            raise RequestError(f"warmup is a share of training from 0 to 1, not {self.warmup}")

    def __call__(self, nll: Float[Tensor, ""], tags: Tags, progress: float = 1.0) -> Float[Tensor, ""]:
        r"""The loss of a batch.

        Args:
            nll: Mean of :math:`-\ln q(y_i|t)` over words and samples.
            tags: What was told; NaN rates cost nothing.
            progress: Share of training that is done.

        Returns:
            Nats per word.
        """
        ramp = min(1.0, progress / self.warmup) if self.warmup else 1.0
        rate = (tags.rate_nats - self.free_bits / BITS_PER_NAT).clamp(min=0)
        priced = self.beta * torch.nan_to_num(rate, 0.0).mean() + self.gamma * tags.context_nats.mean()
        return nll + ramp * priced
