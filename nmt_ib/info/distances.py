"""Squared distances by one matrix product.

In float64: float32 saved a third of the time, but for coinciding points, as in saturated layers, estimates of
information were wrong by up to 3e-4 bits.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def left_factor(x: Float[Tensor, "N D"]) -> Float[Tensor, "N D2"]:
    r"""The rows :math:`(2 x, -\lVert x \rVert^2, -1)`.

    Args:
        x: Points.

    Returns:
        The factor whose product with the transposed `right_factor` of other points is minus their squared distances.
        Rounding may make products positive; clamping them to 0 would bias sums over near points.
    """
    return torch.cat([2 * x, -x.square().sum(1, keepdim=True), -torch.ones_like(x[:, :1])], 1)


def right_factor(x: Float[Tensor, "N D"]) -> Float[Tensor, "N D2"]:
    r"""The rows :math:`(x, 1, \lVert x \rVert^2)`, see `left_factor`.

    Args:
        x: Points.

    Returns:
        The factor.
    """
    return torch.cat([x, torch.ones_like(x[:, :1]), x.square().sum(1, keepdim=True)], 1)
