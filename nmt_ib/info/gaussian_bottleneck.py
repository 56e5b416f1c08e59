"""The information bottleneck of jointly Gaussian variables, in closed form."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.ib_curve import GAUSSIAN, IBCurve, IBPoint

EPS = 1e-12  # squared correlations below it are 0


def gaussian_ib_curve(
    covariance: Float[np.ndarray, "D D"], x_width: int, betas: Sequence[float] | Float[np.ndarray, " B"]
) -> IBCurve:
    r"""The optimal curve of jointly Gaussian X and Y, for which the optimal T is Gaussian, too.

    Let :math:`\rho_i` be the canonical correlations of X and Y. A dimension is used above its critical
    :math:`\beta_i = 1 / \rho_i^2`, and summed over those in use

    .. math::
        I(X;T) = \frac12 \sum_i \ln \frac{(\beta - 1) \rho_i^2}{1 - \rho_i^2}, \qquad
        I(T;Y) = I(X;T) - \frac12 \sum_i \ln(\beta \rho_i^2)

    Args:
        covariance: Joint covariance of X and Y, X first; the curve depends on its correlations only.
        x_width: Dimension of X.
        betas: Non-negative.

    Returns:
        The curve. It has no end point: I(X;T) diverges as I(T;Y) approaches I(X;Y).

    Raises:
        RequestError: The matrix is not a covariance, or a direction of Y is a function of X.

    References:
        Chechik, Globerson, Tishby & Weiss (2005), Information bottleneck for Gaussian variables.
    """
    squares = _canonical_correlations(covariance, x_width) ** 2
    squares = squares[squares > EPS]
    if (squares >= 1 - EPS).any():
        raise RequestError(
            "a direction of Y is a linear function of X: I(X;Y) is infinite; include noise in the covariance"
        )
    i_xy = -0.5 * float(np.log1p(-squares).sum()) * BITS_PER_NAT
    points = []
    for beta in np.sort(np.asarray(betas, dtype=float)):
        used = squares[beta * squares > 1]
        i_x = 0.5 * float(np.log((beta - 1) * used / (1 - used)).sum()) * BITS_PER_NAT
        i_y = i_x - 0.5 * float(np.log(beta * used).sum()) * BITS_PER_NAT
        points.append(IBPoint(float(beta), i_x, i_y, max(0.0, i_xy - i_y)))
    critical = tuple(float(value) for value in np.sort(1 / squares))
    return IBCurve(tuple(points), critical, i_xy, end_x_bits=None, method=GAUSSIAN)


def _canonical_correlations(covariance: Float[np.ndarray, "D D"], x_width: int) -> Float[np.ndarray, " K"]:
    if not 0 < x_width < len(covariance):
        raise RequestError(f"X has {x_width} of {len(covariance)} dimensions: expected at least 1 for X and 1 for Y")
    try:
        x_root = np.linalg.cholesky(covariance[:x_width, :x_width])
        y_root = np.linalg.cholesky(covariance[x_width:, x_width:])
    except np.linalg.LinAlgError as error:
        raise RequestError(
            "the covariance of X or of Y is not positive definite: remove linearly dependent directions"
        ) from error
    whitened = np.linalg.solve(y_root, np.linalg.solve(x_root, covariance[:x_width, x_width:]).T)
    return np.linalg.svd(whitened, compute_uv=False)
