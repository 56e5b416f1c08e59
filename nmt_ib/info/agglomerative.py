"""The agglomerative information bottleneck: clusters that merge where that loses least."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from scipy.special import xlogy


def merges(joint: Float[np.ndarray, "X Y"]) -> Iterator[tuple[Int[np.ndarray, " X"], float]]:
    r"""Hard clusterings of rows, from each its own to all in one.

    Each step merges the two clusters whose union loses least of :math:`I(T;Y)`:
    :math:`(q_i + q_j) JS[q(y|i), q(y|j)]`, the Jensen-Shannon divergence weighted by their shares.

    Args:
        joint: p(x, y); each row has a sum above 0.

    Yields:
        For X, X-1, ..., 1 clusters: the label of each row, from 0, and the nats that this step lost.

    References:
        Slonim & Tishby (1999), Agglomerative information bottleneck.
    """
    mass, labels = joint.copy(), np.arange(len(joint))
    loss = np.stack([_losses(mass, row) for row in range(len(mass))])
    least = loss.min(1)
    alive = np.ones(len(mass), dtype=bool)
    yield labels, 0.0
    for _ in range(len(mass) - 1):
        first = int(least.argmin())
        kept, gone = sorted((first, int(loss[first].argmin())))
        lost = float(least[first])
        mass[kept] += mass[gone]
        alive[gone] = False
        stale = alive & ((loss[:, kept] <= least) | (loss[:, gone] <= least))
        loss[gone] = loss[:, gone] = np.inf
        loss[kept] = loss[:, kept] = np.where(alive, _losses(mass, kept), np.inf)
        least = np.minimum(least, loss[:, kept])
        least[stale] = loss[stale].min(1)
        least[[kept, gone]] = loss[kept].min(), np.inf
        labels = np.where(labels == gone, kept, labels)
        yield np.unique(labels, return_inverse=True)[1], lost


def distinct(joint: Float[np.ndarray, "X Y"], tolerance_nats: float) -> Int[np.ndarray, " X"]:
    """The coarsest clustering of `merges` that loses next to nothing.

    Args:
        joint: p(x, y); each row has a sum above 0.
        tolerance_nats: What may be lost in all.

    Returns:
        The label of each row, from 0.
    """
    total, found = 0.0, np.arange(len(joint))
    for labels, lost in merges(joint):
        total += lost
        if total > tolerance_nats:
            break
        found = labels
    return found


def _losses(joint: Float[np.ndarray, "T Y"], one: int) -> Float[np.ndarray, " T"]:
    """What I(T;Y) loses, in nats, where one cluster merges with each other; infinite for itself."""
    lost = _information(joint) + _information(joint[[one]]) - _information(joint + joint[one])
    lost[one] = np.inf
    return np.maximum(lost, 0.0)


def _information(joint: Float[np.ndarray, "T Y"]) -> Float[np.ndarray, " T"]:
    r""":math:`\sum_y p(t, y) \ln p(y|t)`, which sums to I(T;Y) up to H(Y)."""
    conditional = joint / joint.sum(1, keepdims=True)
    return xlogy(joint, conditional).sum(1)
