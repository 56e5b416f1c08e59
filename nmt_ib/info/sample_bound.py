"""How far a bottleneck's information may be off where its table was counted from a sample."""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from nmt_ib.info.joint_table import JointTable


def sample_bound(
    table: JointTable, encoder: Float[np.ndarray, "X T"], samples: int, confidence: float
) -> tuple[float, float]:
    r"""Bounds of the errors of I(X;T) and I(T;Y) that hold with a given confidence for all encoders at once.

    .. math::
        |I(X;T) - \hat I(X;T)| \le \sum_t f(c \lVert p(t|x) - b_t \rVert) + c \lVert H(T|x) - a \rVert

        |I(T;Y) - \hat I(T;Y)| \le 2 \sum_t f(c \lVert p(t|x) - b_t \rVert) + c \lVert \hat H(T|y) - d \rVert

    with :math:`c = (2 + \sqrt{2 \ln((|Y| + 2) / \delta)}) / \sqrt n`, Euclidean norms over x and y,
    :math:`f(u) = u \ln(1/u)` up to its maximum :math:`1/e`, and constants for which the means are taken here. The
    order in T, :math:`|T| / \sqrt n` for both and |Y| times that for the second at worst, is the one that Tishby &
    Zaslavsky (2015) argue with. The bound holds for every distribution and is loose: it tells how errors grow with T
    and shrink with n, and seldom how large they are.

    Args:
        table: The counted p(x, y).
        encoder: q(t|x).
        samples: Pairs that were counted, n.
        confidence: :math:`1 - \delta`.

    Returns:
        Both, in nats, >= 0.

    References:
        Shamir, Sabato & Tishby (2010), Learning and generalization with the information bottleneck.
    """
    values_of_y = table.p_y_given_x.shape[1]
    scale = (2 + math.sqrt(2 * math.log((values_of_y + 2) / (1 - confidence)))) / math.sqrt(samples)
    spread = np.linalg.norm(encoder - encoder.mean(0), axis=0)
    of_t = float(_concave(scale * spread).sum())
    q_t_given_y = (encoder.T @ table.joint / table.p_y).T
    return (
        of_t + scale * _spread(_entropies(encoder)),
        2 * of_t + scale * _spread(_entropies(q_t_given_y)),
    )


def _concave(u: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    return entr(np.minimum(u, 1 / math.e))


def _spread(values: Float[np.ndarray, " N"]) -> float:
    return float(np.linalg.norm(values - values.mean()))


def _entropies(p: Float[np.ndarray, "N K"]) -> Float[np.ndarray, " N"]:
    return entr(p).sum(1)
