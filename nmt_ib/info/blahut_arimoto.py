"""The information bottleneck of a table, by Blahut-Arimoto iterations for many betas at once."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import softmax

from nmt_ib.info.agglomerative import merges
from nmt_ib.info.joint_table import JointTable, entropy_nats

MAX_CLUSTERS = 64
MAX_CELLS = 50_000  # of the encoders that are iterated together: they fit in a processor's cache
EPS = 1e-300
TOLERANCE = 1e-9  # of a probability q(t|x)
PATIENCE = 10  # accelerated steps in which the Lagrangian must fall by `MIN_GAIN_NATS`
MAX_STEPS = 1000
MAX_ROUNDS = 4
MAX_STEP_LENGTH = 256.0
MIN_GAIN_NATS = 1e-8


@dataclass(frozen=True)
class Encoders:
    r"""One encoder :math:`q(t|x)` for each beta.

    Attributes:
        betas: Lagrange multiplier :math:`\beta` of :math:`I(X;T) - \beta I(T;Y)`.
        encoder: :math:`q(t|x)`.
        i_x_nats: :math:`I(X;T)`.
        i_y_nats: :math:`I(T;Y)`.
        change: Largest change of a probability in the last iteration.
    """

    betas: Float[np.ndarray, " B"]
    encoder: Float[np.ndarray, "B X T"]
    i_x_nats: Float[np.ndarray, " B"]
    i_y_nats: Float[np.ndarray, " B"]
    change: Float[np.ndarray, " B"]

    def select(self, selection: Int[np.ndarray, " C"] | Bool[np.ndarray, " B"]) -> "Encoders":
        """Some of the encoders.

        Args:
            selection: Their indices, or a mask.

        Returns:
            The selected encoders.
        """
        return Encoders(**{name: values[selection] for name, values in vars(self).items()})


def information(
    table: JointTable, encoder: Float[np.ndarray, "B X T"]
) -> tuple[Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """I(X;T) and I(T;Y) of encoders, in nats.

    Args:
        table: p(x, y).
        encoder: q(t|x).

    Returns:
        Both, >= 0.
    """
    parts = []
    for part in np.array_split(encoder, max(1, encoder.size // MAX_CELLS)):
        with np.errstate(divide="ignore"):
            parts.append(_iterated(table, np.log(part), np.zeros(len(part)))[2:])
    i_x, i_y = (np.concatenate(values) for values in zip(*parts, strict=True))
    return i_x, i_y


def solve(table: JointTable, betas: Float[np.ndarray, " B"], *, clusters: int | None = None) -> Encoders:
    r"""The bottleneck :math:`\min I(X;T) - \beta I(T;Y)` for many betas.

    .. math:: q(t|x) \propto q(t) \exp(-\beta KL[p(y|x) \| q(y|t)])

    The Lagrangian has many local minima. Each beta starts from the finest encoder, as reverse annealing does. Then it
    restarts from the encoder of another beta, or from an agglomerative clustering, if that has a lower Lagrangian at
    this beta, until none has. As no encoder is better at another beta than that beta's own, the points lie on a
    concave curve. The iterations are accelerated, since plain ones converge slowly near a critical beta.

    Args:
        table: p(x, y).
        betas: Non-negative.
        clusters: Number of values of T; None: as many as the table has different rows, at most 64.

    Returns:
        One encoder for each beta.

    References:
        Tishby, Pereira & Bialek (1999), The information bottleneck method. Varadhan & Roland (2008), Simple and
        globally convergent methods for accelerating the convergence of any EM algorithm (SQUAREM).
    """
    clusters = clusters or min(len(table.p_x), MAX_CLUSTERS)
    hard = np.stack([one_hot(labels, clusters) for labels, _ in merges(table.joint) if labels.max() < clusters])
    found = descend(table, betas, np.broadcast_to(hard[0], (len(betas), *hard[0].shape)))
    coarse = _encoders(table, hard)
    for _ in range(MAX_ROUNDS):
        better = _best(found, coarse)
        improved = lagrangian(better) < lagrangian(found) - MIN_GAIN_NATS
        if not improved.any():
            break
        restarted = descend(table, betas[improved], better.encoder[improved])
        found = _replace_if_better(found, improved, restarted)
    return _best(found, coarse)


def lagrangian(encoders: Encoders) -> Float[np.ndarray, " B"]:
    r""":math:`I(X;T) - \beta I(T;Y)` of each encoder, in nats."""
    return encoders.i_x_nats - encoders.betas * encoders.i_y_nats


def descend(table: JointTable, betas: Float[np.ndarray, " B"], start: Float[np.ndarray, "B X T"]) -> Encoders:
    """Iterates each encoder to convergence.

    Args:
        table: p(x, y).
        betas: Beta of each encoder.
        start: Initial encoders.

    Returns:
        Encoders that are fixed points of the iteration, up to the tolerance.
    """
    size = max(1, MAX_CELLS // start[0].size)
    parts = [_descend(table, betas[i : i + size], start[i : i + size]) for i in range(0, len(betas), size)]
    return Encoders(*(np.concatenate(values) for values in zip(*(vars(part).values() for part in parts), strict=True)))


def _descend(table: JointTable, betas: Float[np.ndarray, " B"], start: Float[np.ndarray, "B X T"]) -> Encoders:
    """Accelerated steps of three iterations; betas drop out when they have converged."""
    with np.errstate(divide="ignore"):
        logits = _iterated(table, np.log(start), betas)[0]
    change = np.full(len(betas), np.inf)
    active = np.arange(len(betas))
    cost, earlier = np.full(len(betas), np.inf), np.full(len(betas), np.inf)
    for step in range(MAX_STEPS):
        logits[active], cost[active], change[active] = _accelerated(table, logits[active], betas[active])
        moving = change[active] > TOLERANCE
        if step % PATIENCE == 0:
            moving &= earlier[active] - cost[active] > MIN_GAIN_NATS if step else True
            earlier[active] = cost[active]
        active = active[moving]
        if not len(active):
            break
    encoder = softmax(logits, axis=-1)
    return replace(_encoders(table, encoder), betas=betas, change=change)


def _accelerated(
    table: JointTable, logits: Float[np.ndarray, "B X T"], betas: Float[np.ndarray, " B"]
) -> tuple[Float[np.ndarray, "B X T"], Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """Two iterations, extrapolated (SQUAREM); falls back to the second if the Lagrangian would rise."""
    once, before, *_ = _iterated(table, logits, betas)
    twice, after, i_x, i_y = _iterated(table, once, betas)
    weights = table.p_x[:, None] * before
    first, second = once - logits, twice - once
    curvature = second - first
    length = np.sqrt((weights * first**2).sum((1, 2)) / np.maximum((weights * curvature**2).sum((1, 2)), EPS))
    length = length.clip(1.0, MAX_STEP_LENGTH)[:, None, None]
    far, _, far_i_x, far_i_y = _iterated(table, logits + 2 * length * first + length**2 * curvature, betas)
    good = far_i_x - betas * far_i_y <= i_x - betas * i_y
    change = np.abs(after - before).max((1, 2))
    return np.where(good[:, None, None], far, twice), i_x - betas * i_y, change


def _iterated(
    table: JointTable, logits: Float[np.ndarray, "B X T"], betas: Float[np.ndarray, " B"]
) -> tuple[Float[np.ndarray, "B X T"], Float[np.ndarray, "B X T"], Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """Logits of the next encoder; the current encoder, its I(X;T) and its I(T;Y).

    Terms that do not depend on t cancel in q(t|x), so the entropy of p(y|x) is left out of the divergence.
    """
    maximum = logits.max(-1, keepdims=True)
    encoder = np.exp(logits - maximum)
    total = encoder.sum(-1, keepdims=True)
    encoder /= total
    joint = table.p_x[:, None] * encoder
    q_t = joint.sum(1)
    log_q_t = np.log(np.maximum(q_t, EPS))
    mass = joint.transpose(0, 2, 1) @ table.p_y_given_x
    log_q_y = np.log(np.maximum(mass, EPS)) - log_q_t[..., None]
    log_encoder = np.maximum(logits - maximum - np.log(total), np.log(EPS))
    i_x = (joint * (log_encoder - log_q_t[:, None])).sum((1, 2))
    i_y = (mass * log_q_y).sum((1, 2)) + entropy_nats(table.p_y)
    following = log_q_t[:, None] + betas[:, None, None] * (table.p_y_given_x @ log_q_y.transpose(0, 2, 1))
    return following, encoder, np.maximum(i_x, 0.0), np.maximum(i_y, 0.0)


def one_hot(labels: Int[np.ndarray, "*X"], clusters: int) -> Float[np.ndarray, "*X T"]:
    """The encoder of a hard clustering."""
    return np.eye(clusters)[labels]


def _encoders(table: JointTable, encoder: Float[np.ndarray, "B X T"]) -> Encoders:
    nothing = np.zeros(len(encoder))
    return Encoders(nothing, encoder, *information(table, encoder), nothing)


def _best(found: Encoders, others: Encoders) -> Encoders:
    """For each beta the encoder with the lowest Lagrangian, its own if no other is better."""
    both = [np.concatenate([getattr(found, name), getattr(others, name)]) for name in vars(found)]
    pool = Encoders(*both)
    cost = pool.i_x_nats - found.betas[:, None] * pool.i_y_nats
    best = cost.argmin(1)
    own = np.arange(len(best))
    best = np.where(cost[own, best] < cost[own, own], best, own)
    return replace(pool.select(best), betas=found.betas)


def _replace_if_better(found: Encoders, mask: Bool[np.ndarray, " B"], others: Encoders) -> Encoders:
    """The encoders with those in the mask replaced by others that are no worse."""
    better = np.zeros(len(mask), dtype=bool)
    better[mask] = lagrangian(others) <= lagrangian(found)[mask]
    values = {name: getattr(found, name).copy() for name in vars(found)}
    for name, column in values.items():
        column[better] = getattr(others, name)[better[mask]]
    return Encoders(**values)
