"""The betas at which a cluster of the information bottleneck splits."""

import numpy as np
from jaxtyping import Float

from nmt_ib.info.agglomerative import distinct
from nmt_ib.info.blahut_arimoto import Encoders, descend, lagrangian
from nmt_ib.info.joint_table import JointTable, first_critical_beta

MERGE_NATS = 1e-5  # of I(T;Y): clusters whose union loses no more are merged
LAGRANGIAN_NATS = 1e-6  # of the Lagrangian: error of converged iterations
MAX_SECANT_STEPS = 6
BETA_TOLERANCE = 1e-7  # relative
EPS = 1e-9


def simplest_encoders(table: JointTable, found: Encoders) -> list[Float[np.ndarray, "X _K"]]:
    """Encoders without redundant clusters: no more than at the previous beta, unless they lower the Lagrangian.

    Args:
        table: p(x, y).
        found: Optima in order of increasing beta.

    Returns:
        One encoder for each beta.
    """
    simplest: list[Float[np.ndarray, "X _K"]] = []
    for index, encoder in enumerate(found.encoder):
        simple = distinct_clusters(table, encoder)
        if simplest and simple.shape[1] > simplest[-1].shape[1]:
            fewer = descend(table, found.betas[[index]], simplest[-1][None])
            simple = fewer.encoder[0] if lagrangian(fewer)[0] < lagrangian(found)[index] + LAGRANGIAN_NATS else simple
        simplest.append(simple)
    return simplest


def distinct_clusters(table: JointTable, encoder: Float[np.ndarray, "X T"]) -> Float[np.ndarray, "X K"]:
    """An encoder without empty or duplicate clusters.

    Args:
        table: p(x, y).
        encoder: q(t|x), in which clusters may be empty or duplicates.

    Returns:
        The same encoder with the fewest clusters that preserve I(T;Y) up to a tolerance.
    """
    encoder = encoder[:, table.p_x @ encoder > np.finfo(float).tiny]
    labels = distinct(encoder.T @ table.joint, MERGE_NATS)
    return encoder @ np.eye(labels.max() + 1)[labels]


def critical_betas(table: JointTable, found: Encoders, simplest: list[Float[np.ndarray, "X _K"]]) -> list[float]:
    r"""The betas at which the number of clusters of the optimum increases.

    A cluster splits at :math:`1 / \rho_{max}^2` of :math:`p(x, y|t) = p(x|t) p(y|x)`, where :math:`p(x|t)` is that of
    the optimum at that beta. The equation is solved where the number of clusters first exceeds a value, between that
    beta of the grid and the two before it, as a split is visible only some distance above its critical beta. If the
    clusters are stable there and yet more of them have a lower Lagrangian, the transition is discontinuous: it is at
    the beta at which both Lagrangians are equal, :math:`\Delta I(X;T) / \Delta I(T;Y)`. Several splits between the same
    two betas count as one.

    Args:
        table: p(x, y).
        found: Optima in order of increasing beta.
        simplest: See `simplest_encoders`.

    Returns:
        Increasing betas; the first is :math:`1 / \rho_{max}^2` of the whole table if the grid begins above it.

    References:
        Rose (1998), Deterministic annealing. Zaslavsky & Tishby (2019), Deterministic annealing and the evolution of
        optimal information bottleneck representations.
    """
    betas = found.betas
    first = first_critical_beta(table.p_x, table.p_y_given_x)
    critical = {first} if first < betas[0] else set()
    clusters = simplest[0].shape[1]
    for i, (encoder, following) in enumerate(zip(simplest, simplest[1:], strict=False)):
        if following.shape[1] > clusters:
            split = _split(table, encoder, betas[i], betas[i + 1])
            split = split or _split(table, encoder, betas[max(i - 1, 0)], betas[i])
            critical.add(split or _jump(found, i))
        clusters = max(clusters, following.shape[1])
    return sorted(critical)


def _jump(found: Encoders, index: int) -> float:
    """The beta at which an optimum and the next one, with more clusters, have equal Lagrangians."""
    i_y_gain = found.i_y_nats[index + 1] - found.i_y_nats[index]
    i_x_gain = found.i_x_nats[index + 1] - found.i_x_nats[index]
    return float(np.clip(i_x_gain / max(i_y_gain, EPS), found.betas[index], found.betas[index + 1]))


def _split(table: JointTable, encoder: Float[np.ndarray, "X K"], low: float, high: float) -> float | None:
    """The beta between two others at which a solution with so many clusters becomes unstable; None if there is none."""
    at_low, at_high = (_excess(table, encoder, beta) for beta in (low, high))
    if at_low < 0 or at_high > 0:
        return None
    for _ in range(MAX_SECANT_STEPS):
        middle = low + (high - low) * at_low / (at_low - at_high) if at_low > at_high else low
        at_middle = _excess(table, encoder, middle)
        if at_middle >= 0:
            low, at_low = middle, at_middle
        else:
            high, at_high = middle, at_middle
        if abs(at_middle) < BETA_TOLERANCE * middle:
            break
    return float(middle)


def _excess(table: JointTable, encoder: Float[np.ndarray, "X K"], beta: float) -> float:
    """The lowest beta at which a cluster splits, minus this one."""
    if encoder.shape[1] > 1:
        encoder = descend(table, np.array([beta]), encoder[None]).encoder[0]
    shares = table.p_x @ encoder
    p_x_given_t = (table.p_x[:, None] * encoder)[:, shares > EPS] / shares[shares > EPS]
    return min(first_critical_beta(p_x, table.p_y_given_x) for p_x in p_x_given_t.T) - beta
