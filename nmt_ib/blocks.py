"""Linearised blocks of a network that mix positions: attention and the SSRU."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class MixingBlock(ABC):
    r"""A block that mixes positions, linearised: attention weights, gates and norms are held constant.

    .. math:: y_i = \sum_j T_i(x_j) + r_i + b_i

    Attributes:
        output: :math:`y`, the block's output; after its norm if the norm follows the residual connection (post-norm).
        residual: :math:`r`, the contribution of the residual connection to the output.
        bias: :math:`b`, the part that depends on no input.
        is_cross: Whether the inputs are states of another stack; if not, :math:`r_i` is a function of :math:`x_i`.
    """

    output: Float[Tensor, "B T D"]
    residual: Float[Tensor, "B T D"]
    bias: Float[Tensor, "B T D"]
    is_cross: bool

    @property
    @abstractmethod
    def input_length(self) -> int:
        """Number of input positions."""

    @abstractmethod
    def transformed_vectors(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """Contribution :math:`T_i(x_j)` of each input position j to the output positions i in `rows`."""


@dataclass(frozen=True)
class AttentionBlock(MixingBlock):
    r"""An attention block: :math:`T_i(x_j) = s_i \sum_h A^h_{ij} v^h_j W^h`.

    Attributes:
        weights: :math:`A`.
        values: :math:`v`, without biases.
        projection: :math:`W`, from a head to the output, including the norm's centring and weights.
        scale: :math:`s`, reciprocal of the standard deviation by which a post-norm divides; 1 without post-norm.
    """

    weights: Float[Tensor, "B H T S"]
    values: Float[Tensor, "B H S E"]
    projection: Float[Tensor, "H E D"]
    scale: Float[Tensor, "B T"]

    @property
    def input_length(self) -> int:
        """Number of input positions."""
        return self.weights.shape[3]

    def transformed_vectors(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """The transformed vectors.

        Args:
            rows: Positions of the output.

        Returns:
            :math:`T_i(x_j)`; exactly 0 for padding.
        """
        projected = torch.einsum("bhse,hed->bshd", self.values, self.projection)
        weights = self.weights[:, :, rows] * self.scale[:, None, rows, None]
        return (weights.permute(0, 3, 2, 1) @ projected).transpose(1, 2)


@dataclass(frozen=True)
class RecurrentBlock(MixingBlock):
    r"""An SSRU block: :math:`T_i(x_j) = s_i w \odot C(m_i \odot f_{j+1} \odot ... \odot f_i \odot u_j)`.

    Attributes:
        log_gates: Cumulative sum of :math:`\log f` over positions, in float64: differences of large sums are taken.
        updates: :math:`u`, what each position adds to the cell.
        relu_mask: :math:`m`, true where the cell is positive.
        norm_weight: :math:`w`; :math:`C` subtracts the mean over dimensions.
        scale: :math:`s`, reciprocal of the standard deviation by which the norm divides.
    """

    log_gates: Float[Tensor, "B T D"]
    updates: Float[Tensor, "B T D"]
    relu_mask: Bool[Tensor, "B T D"]
    norm_weight: Float[Tensor, " D"]
    scale: Float[Tensor, "B T"]

    @property
    def input_length(self) -> int:
        """Number of input positions."""
        return self.updates.shape[1]

    def transformed_vectors(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """The transformed vectors.

        Args:
            rows: Positions of the output.

        Returns:
            :math:`T_i(x_j)`; exactly 0 for :math:`j > i`.
        """
        steps = torch.arange(self.updates.shape[1], device=self.updates.device)
        later = (steps > steps[rows, None])[None, ..., None]
        log_gates = (self.log_gates[:, rows, None] - self.log_gates[:, None]).masked_fill(later, -torch.inf)
        cells = log_gates.exp().to(self.updates) * self.updates[:, None] * self.relu_mask[:, rows, None]
        return (cells - cells.mean(3, keepdim=True)) * self.norm_weight * self.scale[:, rows, None, None]
