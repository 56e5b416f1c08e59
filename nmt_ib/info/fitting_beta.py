"""The price of ignorance at which an encoder would be its own answer to the information bottleneck."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq
from scipy.special import softmax

from nmt_ib.info.blahut_arimoto import EPS
from nmt_ib.info.joint_table import JointTable

MAX_BETA = 1e4
EQUAL_NATS = 1e-9


def encoder_of_codes(table: JointTable, codes: Int[np.ndarray, " R"]) -> Float[np.ndarray, "X T"]:
    """q(t|x) of a representation that gives each x of a table one code.

    Args:
        table: p(x, y), whose x are equally likely and all occur.
        codes: Of each x of the table as it was given, from 0 on.

    Returns:
        One row for each different p(y|x): how its x are spread over codes.
    """
    counts = np.zeros((len(table.p_x), int(codes.max()) + 1))
    np.add.at(counts, (table.row_of, codes), 1)
    return counts / counts.sum(1, keepdims=True)


def fitting_beta(table: JointTable, encoder: Float[np.ndarray, "X T"]) -> float | None:
    r"""The beta whose optimal encoder, for the decoder q(y|t) of this one, is nearest to this one.

    .. math::
        \arg\min_\beta \sum_x p(x) KL[q(t|x) \| q_\beta(t|x)], \quad
        q_\beta(t|x) \propto q(t) \exp(-\beta KL[p(y|x) \| q(y|t)])

    The slope in beta is the mean divergence that this encoder has less the one that :math:`q_\beta` has: both are
    equal at the best beta, of which there is one, as the latter falls when beta rises. A fixed point of the bottleneck
    has its own beta; other encoders have one, too, however far from the optimal curve they lie.

    Args:
        table: p(x, y).
        encoder: q(t|x).

    Returns:
        Above 0; 0 where T tells nothing; None where each x has the t that suits it best, so that no beta is too large.

    References:
        Shwartz-Ziv & Tishby (2017), Opening the black box of deep neural networks via information,
        who look for the beta of each layer so.
    """
    q_t = table.p_x @ encoder
    encoder, q_t = encoder[:, q_t > 0], q_t[q_t > 0]
    q_y = (table.p_x[:, None] * encoder).T @ table.p_y_given_x / q_t[:, None]
    log_p = np.log(np.maximum(table.p_y_given_x, EPS))
    divergence = (table.p_y_given_x * log_p).sum(1)[:, None] - table.p_y_given_x @ np.log(np.maximum(q_y, EPS)).T

    known = (table.p_x, q_t, divergence)
    own = float(table.p_x @ (encoder * divergence).sum(1))
    if _optimal_divergence(0.0, *known) < own + EQUAL_NATS:
        return 0.0
    if _optimal_divergence(MAX_BETA, *known) > own - EQUAL_NATS:
        return None
    return float(brentq(lambda beta: _optimal_divergence(beta, *known) - own, 0.0, MAX_BETA))


def _optimal_divergence(
    beta: float, p_x: Float[np.ndarray, " X"], q_t: Float[np.ndarray, " T"], divergence: Float[np.ndarray, "X T"]
) -> float:
    encoder = softmax(np.log(q_t) - beta * divergence, axis=1)
    return float(p_x @ (encoder * divergence).sum(1))
