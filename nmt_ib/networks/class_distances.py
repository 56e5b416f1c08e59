"""Distances of a layer's states within and between classes: whether they form clusters."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def class_distances(states: Float[Tensor, "D S"], labels: Int[Tensor, " S"]) -> tuple[float, float]:
    """Root mean squared distances of two states of one class and of two states of different classes.

    Args:
        states: States of a layer, one in each column.
        labels: Class of each state, from 0.

    Returns:
        The distance within classes and between them, over all pairs with replacement.
    """
    members = torch.nn.functional.one_hot(labels).to(states.dtype)
    members = members[:, members.sum(0) > 0]
    sizes = members.sum(0)
    means, squares = states @ members / sizes, states.square().sum(0) @ members / sizes
    distances = (squares[:, None] + squares - 2 * means.T @ means).clamp(min=0)
    pairs = sizes[:, None] * sizes
    same = torch.eye(len(sizes), dtype=torch.bool)
    within, between = ((distances * pairs)[where].sum() / pairs[where].sum() for where in (same, ~same))
    return float(within.sqrt()), float(between.sqrt())
