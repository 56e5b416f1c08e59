"""The betas at which a cluster of the information bottleneck splits."""

import numpy as np
from jaxtyping import Float

from nmt_ib.info.agglomerative import distinct
from nmt_ib.info.blahut_arimoto import Encoders, descend, lagrangian
from nmt_ib.info.joint_table import JointTable, first_critical_beta

SAME_NATS = 1e-5  # of I(T;Y): clusters whose union loses no more are one
AS_GOOD_NATS = 1e-6  # of the Lagrangian: what iterations at rest may still be off
SECANTS = 6
CLOSE = 1e-7  # of a beta, relative
FLAT = 1e-9


def simplest_encoders(table: JointTable, found: Encoders) -> list[Float[np.ndarray, "X _K"]]:
    """Encoders without idle clusters: as few as the beta before had, unless more of them serve a beta better.

    Args:
        table: p(x, y).
        found: Optima by rising beta.

    Returns:
        One encoder a beta.
    """
    simplest: list[Float[np.ndarray, "X _K"]] = []
    for place, encoder in enumerate(found.encoder):
        own = distinct_clusters(table, encoder)
        if simplest and own.shape[1] > simplest[-1].shape[1]:
            few = descend(table, found.betas[[place]], simplest[-1][None])
            own = few.encoder[0] if lagrangian(few)[0] < lagrangian(found)[place] + AS_GOOD_NATS else own
        simplest.append(own)
    return simplest


def distinct_clusters(table: JointTable, encoder: Float[np.ndarray, "X T"]) -> Float[np.ndarray, "X K"]:
    """An encoder whose clusters differ.

    Args:
        table: p(x, y).
        encoder: q(t|x), in which clusters may be empty or the same.

    Returns:
        The same with as few clusters as lose next to nothing of I(T;Y).
    """
    encoder = encoder[:, table.p_x @ encoder > np.finfo(float).tiny]
    labels = distinct(encoder.T @ table.joint, SAME_NATS)
    return encoder @ np.eye(labels.max() + 1)[labels]


def critical_betas(table: JointTable, found: Encoders, simplest: list[Float[np.ndarray, "X _K"]]) -> list[float]:
    r"""The betas at which the optimum gets more clusters.

    A cluster splits as the whole does: at :math:`1 / \rho_{max}^2` of :math:`p(x, y|t) = p(x|t) p(y|x)`, with
    :math:`p(x|t)` of the optimum at that beta. The equation is solved where the number of clusters first exceeds a
    number, between that beta of the grid and two before it, for a split shows only when it has grown. Where clusters
    are stable there and more of them still cost less, the optimum jumps; then the beta is told at which both cost the
    same, :math:`\Delta I(X;T) / \Delta I(T;Y)`. Splits between the same two betas are told as one.

    Args:
        table: p(x, y).
        found: Optima by rising beta.
        simplest: See `simplest_encoders`.

    Returns:
        Betas, rising; the first is :math:`1 / \rho_{max}^2` of the whole where the grid begins above it.

    References:
        Rose (1998), Deterministic annealing. Zaslavsky & Tishby (2019), Deterministic annealing and the evolution of
        optimal information bottleneck representations.
    """
    betas = found.betas
    first = first_critical_beta(table.p_x, table.p_y_given_x)
    critical = {first} if first < betas[0] else set()
    most = simplest[0].shape[1]
    for i, (here, there) in enumerate(zip(simplest, simplest[1:], strict=False)):
        if there.shape[1] > most:
            split = _split(table, here, betas[i], betas[i + 1]) or _split(table, here, betas[max(i - 1, 0)], betas[i])
            critical.add(split or _jump(found, i))
        most = max(most, there.shape[1])
    return sorted(critical)


def _jump(found: Encoders, place: int) -> float:
    """Where an optimum and the next, of more clusters, cost the same."""
    gained = found.i_y_nats[place + 1] - found.i_y_nats[place]
    paid = found.i_x_nats[place + 1] - found.i_x_nats[place]
    return float(np.clip(paid / max(gained, FLAT), found.betas[place], found.betas[place + 1]))


def _split(table: JointTable, encoder: Float[np.ndarray, "X K"], low: float, high: float) -> float | None:
    """Where between two betas a solution with so many clusters loses its stability; None: nowhere."""
    at_low, at_high = (_excess(table, encoder, beta) for beta in (low, high))
    if at_low < 0 or at_high > 0:
        return None
    for _ in range(SECANTS):
        middle = low + (high - low) * at_low / (at_low - at_high) if at_low > at_high else low
        at_middle = _excess(table, encoder, middle)
        if at_middle >= 0:
            low, at_low = middle, at_middle
        else:
            high, at_high = middle, at_middle
        if abs(at_middle) < CLOSE * middle:
            break
    return float(middle)


def _excess(table: JointTable, encoder: Float[np.ndarray, "X K"], beta: float) -> float:
    """By how much the beta at which a first cluster splits is above this one."""
    if encoder.shape[1] > 1:
        encoder = descend(table, np.array([beta]), encoder[None]).encoder[0]
    shares = table.p_x @ encoder
    inside = (table.p_x[:, None] * encoder)[:, shares > FLAT] / shares[shares > FLAT]
    return min(first_critical_beta(p_x, table.p_y_given_x) for p_x in inside.T) - beta
