"""A noise gate: a mixture of a state and noise, and the information that passes it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import softplus

from nmt_ib.attribution.statistics import LayerStatistics

OPEN = 5.0  # initial alpha of a gate: lambda = 0.993


def gate_nats(alpha: Float[Tensor, "*B G"], standard: Float[Tensor, "*B D"]) -> Float[Tensor, " *B"]:
    r"""Upper bound of the information that passes a gate: the divergence of its output from that of a closed gate.

    .. math::
        KL(p(z|R) \| N(\mu, \sigma^2)) = -\ln(1 - \lambda) - \lambda + \lambda^2 (1 + r^2) / 2,
        \quad \lambda = 1 / (1 + e^{-\alpha})

    Numerically stable at any :math:`\alpha`: :math:`-\ln(1 - \lambda)` is the softplus of :math:`\alpha`.

    Args:
        alpha: Gate parameter; one for all dimensions (G = 1), or one for each (G = D).
        standard: Standardised state :math:`r = (R - \mu) / \sigma`.

    Returns:
        Nats, summed over dimensions; >= 0, unbounded as the gate opens.
    """
    lambda_ = alpha.sigmoid()
    return (softplus(alpha) - lambda_ + lambda_.square() * (1 + standard.square()) / 2).sum(-1)


@dataclass(frozen=True)
class Channel:
    """A batch of states, each behind a gate.

    Attributes:
        states: Input of the gates.
        prior: Mean and standard deviation of such states over a corpus: the output distribution of a closed gate.
        gate_index: Index of the gate of each position; pieces of a word share one; -1: no gate.
    """

    states: Float[Tensor, "B S D"]
    prior: LayerStatistics
    gate_index: Int[Tensor, "B S"]

    def open_gates(self, per_dimension: bool) -> Float[Tensor, "B W G"]:
        """Gates that let nearly everything through.

        Args:
            per_dimension: Whether there is a gate for each dimension.

        Returns:
            alpha of each gate, `OPEN`.
        """
        rows, gates = len(self.gate_index), max(1, int(self.gate_index.max()) + 1)
        return self.states.new_full((rows, gates, self.states.shape[2] if per_dimension else 1), OPEN)

    def output(self, alpha: Float[Tensor, "B W G"], noise: Float[Tensor, "B N S D"]) -> Float[Tensor, "B N S D"]:
        r"""Output of the gates.

        Args:
            alpha: Gate parameters.
            noise: Standard normal noise.

        Returns:
            :math:`z = \lambda R + (1 - \lambda) \epsilon` for each noise draw; the state itself where there is no gate.
        """
        at = self._of_pieces(alpha)[:, None]
        epsilon = self.prior.mean + self.prior.std * noise
        gated = at.sigmoid() * self.states[:, None] + (-at).sigmoid() * epsilon
        return torch.where((self.gate_index >= 0)[:, None, :, None], gated, self.states[:, None])

    def nats(self, alpha: Float[Tensor, "B W G"]) -> Float[Tensor, "B S"]:
        """Upper bound of the information that passes at each position; 0 where there is no gate.

        Args:
            alpha: Gate parameters.

        Returns:
            Nats, summed over dimensions; >= 0.
        """
        standard = (self.states - self.prior.mean) / self.prior.std
        return gate_nats(self._of_pieces(alpha), standard) * (self.gate_index >= 0)

    def _of_pieces(self, alpha: Float[Tensor, "B W G"]) -> Float[Tensor, "B S G"]:
        return alpha.gather(1, self.gate_index.clamp(min=0)[..., None].expand(-1, -1, alpha.shape[2]))
