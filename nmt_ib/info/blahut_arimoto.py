"""The information bottleneck of a table, by Blahut-Arimoto iterations for many betas at once."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import softmax

from nmt_ib.info.agglomerative import merges
from nmt_ib.info.joint_table import JointTable, entropy_nats

MAX_CLUSTERS = 64
CELLS = 50_000  # of the encoders that are in work at once: as many as stay in a processor's cache
EPS = 1e-300
TOLERANCE = 1e-9  # of a probability q(t|x)
PATIENCE = 10  # strides in which the Lagrangian must fall by `BETTER`
ITERATIONS = 1000
ROUNDS = 4
MAX_STRIDE = 256.0
BETTER = 1e-8  # nats


@dataclass(frozen=True)
class Encoders:
    r"""One encoder :math:`q(t|x)` for each beta.

    Attributes:
        betas: Price of ignorance: :math:`I(X;T) - \beta I(T;Y)` is minimal.
        encoder: :math:`q(t|x)`.
        i_x_nats: :math:`I(X;T)`.
        i_y_nats: :math:`I(T;Y)`.
        change: By how much the last iteration still changed a probability.
    """

    betas: Float[np.ndarray, " B"]
    encoder: Float[np.ndarray, "B X T"]
    i_x_nats: Float[np.ndarray, " B"]
    i_y_nats: Float[np.ndarray, " B"]
    change: Float[np.ndarray, " B"]

    def taken(self, chosen: Int[np.ndarray, " C"] | Bool[np.ndarray, " B"]) -> "Encoders":
        """Some of them.

        Args:
            chosen: Their places, or which.

        Returns:
            Those.
        """
        return Encoders(**{name: values[chosen] for name, values in vars(self).items()})


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
    found = []
    for some in np.array_split(encoder, max(1, encoder.size // CELLS)):
        with np.errstate(divide="ignore"):
            found.append(_iterated(table, np.log(some), np.zeros(len(some)))[2:])
    i_x, i_y = (np.concatenate(values) for values in zip(*found, strict=True))
    return i_x, i_y


def solve(table: JointTable, betas: Float[np.ndarray, " B"], *, clusters: int | None = None) -> Encoders:
    r"""The bottleneck :math:`\min I(X;T) - \beta I(T;Y)` for many betas.

    .. math:: q(t|x) \propto q(t) \exp(-\beta KL[p(y|x) \| q(y|t)])

    The Lagrangian has many minima. Every beta begins at the finest encoder, where reverse annealing begins, too; then
    it goes on from the encoder of any other beta, or of Slonim's agglomerative clustering, that serves it better,
    until there is none. In the end no beta would trade its encoder for another's, so that the points lie on a concave
    curve. The iterations are accelerated: near a critical beta plain ones hardly move.

    Args:
        table: p(x, y).
        betas: At least 0.
        clusters: Values of T; None: as many as the table has different rows, at most 64.

    Returns:
        One encoder a beta.

    References:
        Tishby, Pereira & Bialek (1999), The information bottleneck method. Varadhan & Roland (2008), for the
        acceleration (SQUAREM).
    """
    clusters = clusters or min(len(table.p_x), MAX_CLUSTERS)
    hard = np.stack([one_hot(labels, clusters) for labels, _ in merges(table.joint) if labels.max() < clusters])
    found = descend(table, betas, np.broadcast_to(hard[0], (len(betas), *hard[0].shape)))
    coarse = _encoders(table, hard)
    for _ in range(ROUNDS):
        better = _best(found, coarse)
        moved = lagrangian(better) < lagrangian(found) - BETTER
        if not moved.any():
            break
        again = descend(table, betas[moved], better.encoder[moved])
        found = _put(found, moved, again)
    return _best(found, coarse)


def lagrangian(found: Encoders) -> Float[np.ndarray, " B"]:
    """What each encoder minimises, in nats."""
    return found.i_x_nats - found.betas * found.i_y_nats


def descend(table: JointTable, betas: Float[np.ndarray, " B"], start: Float[np.ndarray, "B X T"]) -> Encoders:
    """Iterates each encoder to rest.

    Args:
        table: p(x, y).
        betas: One an encoder.
        start: Encoders to begin with.

    Returns:
        Encoders that no iteration changes, at their own betas.
    """
    size = max(1, CELLS // start[0].size)
    parts = [_descend(table, betas[i : i + size], start[i : i + size]) for i in range(0, len(betas), size)]
    return Encoders(*(np.concatenate(values) for values in zip(*(vars(part).values() for part in parts), strict=True)))


def _descend(table: JointTable, betas: Float[np.ndarray, " B"], start: Float[np.ndarray, "B X T"]) -> Encoders:
    """Strides of three iterations; a beta at rest is left alone."""
    with np.errstate(divide="ignore"):
        logits = _iterated(table, np.log(start), betas)[0]
    change = np.full(len(betas), np.inf)
    active = np.arange(len(betas))
    cost, earlier = np.full(len(betas), np.inf), np.full(len(betas), np.inf)
    for stride in range(ITERATIONS):
        logits[active], cost[active], change[active] = _stride(table, logits[active], betas[active])
        moving = change[active] > TOLERANCE
        if stride % PATIENCE == 0:
            moving &= earlier[active] - cost[active] > BETTER if stride else True
            earlier[active] = cost[active]
        active = active[moving]
        if not len(active):
            break
    encoder = softmax(logits, axis=-1)
    return replace(_encoders(table, encoder), betas=betas, change=change)


def _stride(
    table: JointTable, logits: Float[np.ndarray, "B X T"], betas: Float[np.ndarray, " B"]
) -> tuple[Float[np.ndarray, "B X T"], Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """Two iterations, and as far in their direction as the curvature between them allows."""
    once, before, *_ = _iterated(table, logits, betas)
    twice, after, i_x, i_y = _iterated(table, once, betas)
    weights = table.p_x[:, None] * before
    first, second = once - logits, twice - once
    bend = second - first
    length = np.sqrt((weights * first**2).sum((1, 2)) / np.maximum((weights * bend**2).sum((1, 2)), EPS))
    length = length.clip(1.0, MAX_STRIDE)[:, None, None]
    far, _, far_i_x, far_i_y = _iterated(table, logits + 2 * length * first + length**2 * bend, betas)
    good = far_i_x - betas * far_i_y <= i_x - betas * i_y
    change = np.abs(after - before).max((1, 2))
    return np.where(good[:, None, None], far, twice), i_x - betas * i_y, change


def _iterated(
    table: JointTable, logits: Float[np.ndarray, "B X T"], betas: Float[np.ndarray, " B"]
) -> tuple[Float[np.ndarray, "B X T"], Float[np.ndarray, "B X T"], Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """Logits of the next encoder; the one that was given, its I(X;T) and its I(T;Y).

    What does not depend on t cancels in q(t|x), so that the entropy of p(y|x) is left out of the divergence.
    """
    highest = logits.max(-1, keepdims=True)
    encoder = np.exp(logits - highest)
    total = encoder.sum(-1, keepdims=True)
    encoder /= total
    joint = table.p_x[:, None] * encoder
    q_t = joint.sum(1)
    log_q_t = np.log(np.maximum(q_t, EPS))
    mass = joint.transpose(0, 2, 1) @ table.p_y_given_x
    log_q_y = np.log(np.maximum(mass, EPS)) - log_q_t[..., None]
    log_encoder = np.maximum(logits - highest - np.log(total), np.log(EPS))
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
    """For each beta the encoder that serves it best, its own where another is no better."""
    both = [np.concatenate([getattr(found, name), getattr(others, name)]) for name in vars(found)]
    pool = Encoders(*both)
    cost = pool.i_x_nats - found.betas[:, None] * pool.i_y_nats
    best = cost.argmin(1)
    own = np.arange(len(best))
    best = np.where(cost[own, best] < cost[own, own], best, own)
    return replace(pool.taken(best), betas=found.betas)


def _put(found: Encoders, where: Bool[np.ndarray, " B"], others: Encoders) -> Encoders:
    """Others in the place of some, where they are no worse."""
    better = np.zeros(len(where), dtype=bool)
    better[where] = lagrangian(others) <= lagrangian(found)[where]
    values = {name: getattr(found, name).copy() for name in vars(found)}
    for name, column in values.items():
        column[better] = getattr(others, name)[better[where]]
    return Encoders(**values)
