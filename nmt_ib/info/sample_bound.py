"""Error bounds of I(X;T) and I(T;Y) for a table that was counted from a sample."""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from nmt_ib.info.joint_table import JointTable


def sample_bound(
    table: JointTable, encoder: Float[np.ndarray, "X T"], samples: int, confidence: float
) -> tuple[float, float]:
    r"""Bounds on the errors of I(X;T) and I(T;Y) that hold for all encoders simultaneously.

    .. math::
        |I(X;T) - \hat I(X;T)| \le \sum_t f(c \lVert p(t|x) - b_t \rVert) + c \lVert H(T|x) - a \rVert

        |I(T;Y) - \hat I(T;Y)| \le 2 \sum_t f(c \lVert p(t|x) - b_t \rVert) + c \lVert \hat H(T|y) - d \rVert

    with :math:`c = (2 + \sqrt{2 \ln((|Y| + 2) / \delta)}) / \sqrt n`, Euclidean norms over x and y,
    :math:`f(u) = u \ln(1/u)` up to its maximum at :math:`1/e`, and arbitrary constants :math:`b_t, a, d`, here the
    means. The order in T, :math:`|T| / \sqrt n` for both and at worst |Y| times that for the second, is the one that
    Tishby & Zaslavsky (2015) use. The bounds hold for every distribution and are loose: they show how errors grow with
    |T| and shrink with n rather than how large they are.

    Args:
        table: The counted p(x, y).
        encoder: q(t|x).
        samples: Number n of counted pairs.
        confidence: Confidence :math:`1 - \delta`.

    Returns:
        The bounds for I(X;T) and I(T;Y), in nats, >= 0.

    References:
        Shamir, Sabato & Tishby (2010), Learning and generalization with the information bottleneck.
    """
    values_of_y = table.p_y_given_x.shape[1]
    scale = (2 + math.sqrt(2 * math.log((values_of_y + 2) / (1 - confidence)))) / math.sqrt(samples)
    spread = np.linalg.norm(encoder - encoder.mean(0), axis=0)
    t_term = float(entr(np.minimum(scale * spread, 1 / math.e)).sum())
    q_t_given_y = (encoder.T @ table.joint / table.p_y).T
    return t_term + scale * _entropy_spread(encoder), 2 * t_term + scale * _entropy_spread(q_t_given_y)


def _entropy_spread(p: Float[np.ndarray, "N K"]) -> float:
    """Norm of the deviations of entropies from their mean."""
    entropies = entr(p).sum(1)
    return float(np.linalg.norm(entropies - entropies.mean()))
