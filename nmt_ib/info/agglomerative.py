"""The agglomerative information bottleneck: clusters are merged greedily, at the least loss of I(T;Y)."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from scipy.special import xlogy


def merges(joint: Float[np.ndarray, "X Y"]) -> Iterator[tuple[Int[np.ndarray, " X"], float]]:
    r"""Hard clusterings of the rows, from one cluster for each row to a single one.

    Each step merges the two clusters whose union loses the least :math:`I(T;Y)`, which is
    :math:`(q_i + q_j) JS[q(y|i), q(y|j)]`, the Jensen-Shannon divergence weighted by their probabilities.

    Args:
        joint: p(x, y); each row has a positive sum.

    Yields:
        For X, X-1, ..., 1 clusters: the label of each row, from 0, and the loss of the last merge in nats.

    References:
        Slonim & Tishby (1999), Agglomerative information bottleneck.
    """
    mass, labels = joint.copy(), np.arange(len(joint))
    losses = np.stack([_merge_losses(mass, row) for row in range(len(mass))])
    row_minimum = losses.min(1)
    alive = np.ones(len(mass), dtype=bool)
    yield labels, 0.0
    for _ in range(len(mass) - 1):
        best = int(row_minimum.argmin())
        target, merged = sorted((best, int(losses[best].argmin())))
        loss = float(row_minimum[best])
        mass[target] += mass[merged]
        alive[merged] = False
        stale = alive & ((losses[:, target] <= row_minimum) | (losses[:, merged] <= row_minimum))
        losses[merged] = losses[:, merged] = np.inf
        losses[target] = losses[:, target] = np.where(alive, _merge_losses(mass, target), np.inf)
        row_minimum = np.minimum(row_minimum, losses[:, target])
        row_minimum[stale] = losses[stale].min(1)
        row_minimum[[target, merged]] = losses[target].min(), np.inf
        labels = np.where(labels == merged, target, labels)
        yield np.unique(labels, return_inverse=True)[1], loss


def distinct(joint: Float[np.ndarray, "X Y"], tolerance_nats: float) -> Int[np.ndarray, " X"]:
    """The coarsest clustering of `merges` whose total loss is within a tolerance.

    Args:
        joint: p(x, y); each row has a positive sum.
        tolerance_nats: Maximum total loss of I(T;Y).

    Returns:
        The label of each row, from 0.
    """
    total_loss, coarsest = 0.0, np.arange(len(joint))
    for labels, loss in merges(joint):
        total_loss += loss
        if total_loss > tolerance_nats:
            break
        coarsest = labels
    return coarsest


def _merge_losses(joint: Float[np.ndarray, "T Y"], cluster: int) -> Float[np.ndarray, " T"]:
    """Loss of I(T;Y), in nats, if one cluster merges with each of the others; infinite for itself."""
    losses = _information(joint) + _information(joint[[cluster]]) - _information(joint + joint[cluster])
    losses[cluster] = np.inf
    return np.maximum(losses, 0.0)


def _information(joint: Float[np.ndarray, "T Y"]) -> Float[np.ndarray, " T"]:
    r""":math:`\sum_y p(t, y) \ln p(y|t)`, which sums to I(T;Y) up to H(Y)."""
    conditional = joint / joint.sum(1, keepdims=True)
    return xlogy(joint, conditional).sum(1)
