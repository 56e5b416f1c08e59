"""The beta at which an encoder is closest to an optimum of the information bottleneck."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq
from scipy.special import softmax

from nmt_ib.info.blahut_arimoto import EPS
from nmt_ib.info.joint_table import JointTable

MAX_BETA = 1e4
EQUAL_NATS = 1e-9


def encoder_of_codes(table: JointTable, codes: Int[np.ndarray, " R"]) -> Float[np.ndarray, "X T"]:
    """q(t|x) of a deterministic representation, which maps each x to a code.

    Args:
        table: p(x, y), with uniform p(x).
        codes: Code of each x of the original table, from 0.

    Returns:
        One row for each different p(y|x): the distribution of its x over codes.
    """
    counts = np.zeros((len(table.p_x), int(codes.max()) + 1))
    np.add.at(counts, (table.row_of, codes), 1)
    return counts / counts.sum(1, keepdims=True)


def fitting_beta(table: JointTable, encoder: Float[np.ndarray, "X T"]) -> float | None:
    r"""The beta whose optimal encoder, given the decoder q(y|t) of this encoder, is closest to this encoder.

    .. math::
        \arg\min_\beta \sum_x p(x) KL[q(t|x) \| q_\beta(t|x)], \quad
        q_\beta(t|x) \propto q(t) \exp(-\beta KL[p(y|x) \| q(y|t)])

    The derivative with respect to beta is the mean divergence :math:`KL[p(y|x) \| q(y|t)]` of this encoder minus that
    of :math:`q_\beta`. They are equal at the optimal beta, which is unique, as the latter decreases in beta. For a
    fixed point of the bottleneck this is the beta it was computed for, but other encoders have such a beta, too,
    however far from the optimal curve they are.

    Args:
        table: p(x, y).
        encoder: q(t|x).

    Returns:
        Positive; 0 if I(T;Y) is 0; None if each x is mapped to the t with the smallest divergence, so that the best
        beta is infinite.

    References:
        Shwartz-Ziv & Tishby (2017), Opening the black box of deep neural networks via information, who assign a beta
        to each layer in this way.
    """
    q_t = table.p_x @ encoder
    encoder, q_t = encoder[:, q_t > 0], q_t[q_t > 0]
    q_y = (table.p_x[:, None] * encoder).T @ table.p_y_given_x / q_t[:, None]
    log_p = np.log(np.maximum(table.p_y_given_x, EPS))
    divergence = (table.p_y_given_x * log_p).sum(1)[:, None] - table.p_y_given_x @ np.log(np.maximum(q_y, EPS)).T

    arguments = (table.p_x, q_t, divergence)
    mean_divergence = float(table.p_x @ (encoder * divergence).sum(1))
    if _optimal_divergence(0.0, *arguments) < mean_divergence + EQUAL_NATS:
        return 0.0
    if _optimal_divergence(MAX_BETA, *arguments) > mean_divergence - EQUAL_NATS:
        return None
    return float(brentq(lambda beta: _optimal_divergence(beta, *arguments) - mean_divergence, 0.0, MAX_BETA))


def _optimal_divergence(
    beta: float, p_x: Float[np.ndarray, " X"], q_t: Float[np.ndarray, " T"], divergence: Float[np.ndarray, "X T"]
) -> float:
    """Mean divergence of the optimal encoder at a beta."""
    encoder = softmax(np.log(q_t) - beta * divergence, axis=1)
    return float(p_x @ (encoder * divergence).sum(1))
