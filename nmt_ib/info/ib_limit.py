"""The information-bottleneck curve of a table, in bits, with notes for its reader."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from nmt_ib.errors import RequestError
from nmt_ib.info.blahut_arimoto import MAX_CLUSTERS, Encoders, lagrangian, solve
from nmt_ib.info.critical_betas import critical_betas, distinct_clusters, simplest_encoders
from nmt_ib.info.deterministic_bottleneck import solve_deterministic
from nmt_ib.info.joint_table import JointTable, first_critical_beta
from nmt_ib.info.sample_bound import sample_bound
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.ib_curve import DIB, IB, IBCurve, IBPoint

NONTRIVIAL_NATS = 1e-4  # I(T;Y) above which an encoder is not the trivial one


def ib_curve(
    table: Float[np.ndarray, "R C"],
    betas: Sequence[float] | Float[np.ndarray, " B"],
    *,
    method: str = IB,
    samples: int | None = None,
    confidence: float = 0.95,
) -> IBCurve:
    r"""The optimal curve, :math:`\max I(T;Y)` for each I(X;T), of a table of joint probabilities.

    At critical betas the number of clusters of the optimum increases, see `critical_betas`. The first one is
    :math:`1 / \rho_{max}^2` unless the transition from (0, 0) is discontinuous; then the notes give both.

    Args:
        table: p(x, y) with x as rows and y as columns.
        betas: Lagrange multipliers beta, non-negative.
        method: "ib", or "dib" for the deterministic bottleneck, whose T are hard clusters.
        samples: Number of pairs that the table was counted from; None: the table is exact.
        confidence: Confidence of the error bounds for `samples` pairs.

    Returns:
        The curve, with one point for each beta.

    Raises:
        RequestError: The table is not a joint distribution, a beta is negative, or there is no such method.
    """
    betas = np.sort(np.asarray(betas, dtype=float))
    if not len(betas) or not (np.isfinite(betas) & (betas >= 0)).all():
        raise RequestError("expected at least one beta, each finite and non-negative")
    if method not in (IB, DIB):
        raise RequestError(f"unknown method {method!r}; known: {IB}, {DIB}")
    joint = JointTable.of(table)
    found = solve(joint, betas) if method == IB else solve_deterministic(joint, betas)
    if method == IB:
        encoders = simplest_encoders(joint, found)
    else:
        encoders = [distinct_clusters(joint, encoder) for encoder in found.encoder]
    bounds = [sample_bound(joint, encoder, samples, confidence) if samples else None for encoder in encoders]
    critical = critical_betas(joint, found, encoders) if method == IB else _jumps(found, encoders)
    return IBCurve(
        points=_points(joint, found, encoders, bounds),
        critical_betas=tuple(critical),
        i_xy_bits=joint.i_xy_nats * BITS_PER_NAT,
        end_x_bits=joint.h_x_nats * BITS_PER_NAT,
        method=method,
        deterministic=joint.deterministic,
        notes=(*_notes(joint, found, method), *_grid_notes(joint, critical, encoders, method)),
    )


def beta_grid(low: float, high: float, points: int) -> Float[np.ndarray, " B"]:
    """Betas that are evenly spaced on a logarithmic scale.

    Args:
        low: Smallest beta, positive.
        high: Largest beta.
        points: Number of betas, at least 2.

    Returns:
        Increasing betas.

    Raises:
        RequestError: A number is out of range.
    """
    if not 0 < low < high < math.inf or points < 2:
        raise RequestError(f"{points} betas from {low:g} to {high:g}: expected at least 2, and 0 < smallest < largest")
    return np.geomspace(low, high, points)


def _points(
    joint: JointTable,
    found: Encoders,
    encoders: list[Float[np.ndarray, "X _K"]],
    bounds: list[tuple[float, float] | None],
) -> tuple[IBPoint, ...]:
    rows = zip(found.betas, found.i_x_nats, found.i_y_nats, encoders, bounds, strict=True)
    return tuple(
        IBPoint(
            beta=float(beta),
            i_x_bits=float(i_x) * BITS_PER_NAT,
            i_y_bits=float(i_y) * BITS_PER_NAT,
            distortion_bits=max(0.0, joint.i_xy_nats - float(i_y)) * BITS_PER_NAT,
            clusters=encoder.shape[1],
            i_x_error_bits=bound[0] * BITS_PER_NAT if bound else None,
            i_y_error_bits=bound[1] * BITS_PER_NAT if bound else None,
        )
        for beta, i_x, i_y, encoder, bound in rows
    )


def _jumps(found: Encoders, encoders: list[Float[np.ndarray, "X _K"]]) -> list[float]:
    """Betas at which hard clusterings of different sizes have equal Lagrangians."""
    costs, critical = lagrangian(found), []
    for i, (encoder, following) in enumerate(zip(encoders, encoders[1:], strict=False)):
        gain = found.i_y_nats[i + 1] - found.i_y_nats[i]
        if following.shape[1] > encoder.shape[1] and gain > 0 and np.isfinite(costs[i]):
            critical.append(float((found.i_x_nats[i + 1] - found.i_x_nats[i]) / gain))
    return critical


def _grid_notes(
    joint: JointTable, critical: list[float], encoders: list[Float[np.ndarray, "X _K"]], method: str
) -> list[str]:
    """What the grid of betas does not resolve."""
    if method == DIB and critical:
        return [
            "at each critical beta the optima of two neighbouring betas have equal Lagrangians: it is exact if no "
            "other clustering is optimal between them, which a finer grid would show"
        ]
    counts = np.maximum.accumulate([encoder.shape[1] for encoder in encoders])
    steps = np.flatnonzero(np.diff(counts) > 1)
    if method == IB and len(steps) and not joint.deterministic:
        jumps = ", ".join(f"{counts[i]} to {counts[i + 1]}" for i in steps)
        return [f"the number of clusters increases from {jumps} in one step: a finer grid may separate critical betas"]
    return []


def _notes(joint: JointTable, found: Encoders, method: str) -> list[str]:
    notes = []
    if joint.i_xy_nats < NONTRIVIAL_NATS:
        notes.append("X and Y are nearly independent: the curve is the line I(T;Y) = 0")
    elif joint.deterministic and method == IB:
        notes.append(
            f"Y is a function of X: the curve is the straight line I(T;Y) = min(I(X;T), H(Y)), H(Y) = "
            f"{joint.h_y_nats * BITS_PER_NAT:.4f} bits; all betas above 1 have the same optimum, all betas below 1 "
            "the trivial one, and at 1 the whole line is optimal, so that no beta distinguishes its points "
            "(Kolchinsky, Tracey & Van Kuyk 2019)"
        )
    first = first_critical_beta(joint.p_x, joint.p_y_given_x)
    nontrivial = found.betas[found.i_y_nats > NONTRIVIAL_NATS]
    if method == IB and len(nontrivial) and nontrivial[0] < first * (1 - 1e-9):
        notes.append(
            f"the transition from (0, 0) is discontinuous, at or below beta {nontrivial[0]:.4g} of the grid, before "
            f"the trivial encoder becomes unstable at 1 / rho_max^2 = {first:.4g}"
        )
    if method == IB and len(joint.p_x) > MAX_CLUSTERS:
        notes.append(f"T has at most {MAX_CLUSTERS} values: near its end the true curve lies above this one")
    return notes
