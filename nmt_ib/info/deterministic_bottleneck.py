"""The deterministic information bottleneck of a table: hard clusters with an entropy penalty."""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr

from nmt_ib.info.agglomerative import merges
from nmt_ib.info.blahut_arimoto import Encoders, information, one_hot
from nmt_ib.info.joint_table import JointTable

MAX_ITERATIONS = 200
MAX_ROUNDS = 8
MIN_GAIN_NATS = 1e-12
EPS = 1e-300


def solve_deterministic(table: JointTable, betas: Float[np.ndarray, " B"]) -> Encoders:
    r"""The bottleneck :math:`\min H(T) - \beta I(T;Y)` for many betas; T is a function of X, so that H(T) = I(X;T).

    .. math:: t(x) = \arg\max_t \ln q(t) - \beta KL[p(y|x) \| q(y|t)]

    Each beta starts from the agglomerative clustering with the lowest cost. When its iterations have converged, single
    rows move and pairs of clusters merge as long as that lowers the cost. Then it restarts from another beta's clusters
    if those have a lower cost.

    Args:
        table: p(x, y).
        betas: Non-negative.

    Returns:
        One hard encoder for each beta.

    References:
        Strouse & Schwab (2017), The deterministic information bottleneck.
    """
    pool = np.stack([labels for labels, _ in merges(table.joint)])
    start = np.zeros((len(betas), len(table.p_x)), dtype=int)
    for _ in range(MAX_ROUNDS):
        chosen = pool[_costs(table, pool, betas).argmin(1)]
        if (chosen == start).all():
            break
        start = np.stack([_descend(table, labels, beta) for labels, beta in zip(chosen, betas, strict=True)])
        pool = np.unique(np.concatenate([pool, start]), axis=0)
    dense = np.stack([np.unique(labels, return_inverse=True)[1] for labels in start])
    encoder = one_hot(dense, int(dense.max()) + 1)
    return Encoders(betas, encoder, *information(table, encoder), np.zeros(len(betas)))


def _costs(table: JointTable, pool: Int[np.ndarray, "C X"], betas: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B C"]:
    """Lagrangian of each clustering at each beta, up to beta H(Y)."""
    h_t, i_y = np.array([_of_clusters(table, labels) for labels in pool]).T
    return h_t - betas[:, None] * i_y


def _of_clusters(table: JointTable, labels: Int[np.ndarray, " X"]) -> tuple[float, float]:
    """H(T), and I(T;Y) - H(Y)."""
    mass = _masses(table, labels)
    h_t = entr(mass.sum(1)).sum()
    return h_t, h_t - entr(mass).sum()


def _masses(table: JointTable, labels: Int[np.ndarray, " X"]) -> Float[np.ndarray, "X Y"]:
    """p(t, y) of clusters."""
    mass = np.zeros_like(table.p_y_given_x)
    np.add.at(mass, labels, table.joint)
    return mass


def _descend(table: JointTable, labels: Int[np.ndarray, " X"], beta: float) -> Int[np.ndarray, " X"]:
    """Clusters that no iteration, move of one row or merge of two clusters improves."""
    cost = _costs(table, labels[None], np.array([beta]))[0, 0]
    for _ in range(MAX_ITERATIONS):
        candidates = np.stack(
            [_iterated(table, labels, beta), _moved(table, labels, beta), _merged(table, labels, beta)]
        )
        costs = _costs(table, candidates, np.array([beta]))[0]
        if costs.min() >= cost - MIN_GAIN_NATS:
            break
        labels, cost = candidates[costs.argmin()], costs.min()
    return labels


def _iterated(table: JointTable, labels: Int[np.ndarray, " X"], beta: float) -> Int[np.ndarray, " X"]:
    mass = _masses(table, labels)
    q_t = mass.sum(1)
    with np.errstate(divide="ignore"):
        log_q_t = np.log(q_t)
    log_q_y = np.log(np.maximum(mass, EPS)) - np.log(np.maximum(q_t, EPS))[:, None]
    return (log_q_t + beta * table.p_y_given_x @ log_q_y.T).argmax(1)


def _moved(table: JointTable, labels: Int[np.ndarray, " X"], beta: float) -> Int[np.ndarray, " X"]:
    """The best clustering after moving one row, possibly to a new cluster."""
    mass = _masses(table, labels)
    before = _cost_terms(mass, beta)
    removal = _cost_terms(np.maximum(mass[labels] - table.joint, 0.0), beta) - before[labels]
    change = removal[:, None] + _cost_terms(mass + table.joint[:, None], beta) - before
    change[np.arange(len(labels)), labels] = np.inf
    row, target = np.unravel_index(change.argmin(), change.shape)
    return np.where(np.arange(len(labels)) == row, target, labels)


def _merged(table: JointTable, labels: Int[np.ndarray, " X"], beta: float) -> Int[np.ndarray, " X"]:
    """The best clustering after merging two clusters."""
    used, dense = np.unique(labels, return_inverse=True)
    if len(used) == 1:
        return labels
    mass = _masses(table, dense)[: len(used)]
    before = _cost_terms(mass, beta)
    change = _cost_terms(mass + mass[:, None], beta) - before - before[:, None]
    np.fill_diagonal(change, np.inf)
    one, other = np.unravel_index(change.argmin(), change.shape)
    return np.where(labels == used[other], used[one], labels)


def _cost_terms(mass: Float[np.ndarray, "*T Y"], beta: float) -> Float[np.ndarray, "*T"]:
    """Contribution of each cluster to the Lagrangian, from its p(t, y)."""
    return (1 - beta) * entr(mass.sum(-1)) + beta * entr(mass).sum(-1)
