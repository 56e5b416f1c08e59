"""A noise gate: how much of each state goes through, and what that costs in information."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import softplus

from nmt_ib.attribution.statistics import LayerStatistics

OPEN = 5.0  # where gates start: 0.7 % of what goes through is noise


def information(alpha: Float[Tensor, "*B G"], standard: Float[Tensor, "*B D"]) -> Float[Tensor, " *B"]:
    r"""Information that goes through a gate, at most: the divergence from what goes through a closed one.

    .. math::
        KL(p(z|R) \| N(\mu, \sigma^2)) = -\ln(1 - \lambda) - \lambda + \lambda^2 (1 + r^2) / 2,
        \quad \lambda = 1 / (1 + e^{-\alpha})

    which neither overflows nor cancels at any :math:`\alpha`: :math:`-\ln(1 - \lambda)` is the softplus of
    :math:`\alpha`.

    Args:
        alpha: The gate; one for all dimensions (G = 1), or one for each.
        standard: The state :math:`r = (R - \mu) / \sigma`.

    Returns:
        Nats, summed over dimensions; >= 0, without bound as the gate opens.
    """
    through = alpha.sigmoid()
    return (softplus(alpha) - through + through.square() * (1 + standard.square()) / 2).sum(-1)


@dataclass(frozen=True)
class Channel:
    """A batch of states, each behind a gate.

    Attributes:
        states: What goes in.
        prior: Mean and deviation of such states over a corpus: what a closed gate lets out.
        gate: Number of the gate before each position; pieces of a word share one; -1: nothing stands before it.
    """

    states: Float[Tensor, "B S D"]
    prior: LayerStatistics
    gate: Int[Tensor, "B S"]

    def opened(self, per_dimension: bool) -> Float[Tensor, "B W G"]:
        """Open gates.

        Args:
            per_dimension: Whether there is one for each dimension.

        Returns:
            alpha of each gate.
        """
        rows, gates = len(self.gate), max(1, int(self.gate.max()) + 1)
        return self.states.new_full((rows, gates, self.states.shape[2] if per_dimension else 1), OPEN)

    def output(self, alpha: Float[Tensor, "B W G"], noise: Float[Tensor, "B N S D"]) -> Float[Tensor, "B N S D"]:
        r"""What the gates let through.

        Args:
            alpha: The gates.
            noise: Standard normal.

        Returns:
            :math:`z = \lambda R + (1 - \lambda) \epsilon`, once for each draw of noise.
        """
        at = self._of_pieces(alpha)[:, None]
        instead = self.prior.mean + self.prior.std * noise
        gated = at.sigmoid() * self.states[:, None] + (-at).sigmoid() * instead
        return torch.where((self.gate >= 0)[:, None, :, None], gated, self.states[:, None])

    def nats(self, alpha: Float[Tensor, "B W G"]) -> Float[Tensor, "B S"]:
        """Information that each position gets through, at most; 0 where no gate stands.

        Args:
            alpha: The gates.

        Returns:
            Nats, summed over dimensions.
        """
        standard = (self.states - self.prior.mean) / self.prior.std
        return information(self._of_pieces(alpha), standard) * (self.gate >= 0)

    def _of_pieces(self, alpha: Float[Tensor, "B W G"]) -> Float[Tensor, "B S G"]:
        return alpha.gather(1, self.gate.clamp(min=0)[..., None].expand(-1, -1, alpha.shape[2]))
