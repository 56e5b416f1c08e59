"""Exact information of jointly Gaussian variables, including linear networks, and its estimate from a sample."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.special import digamma

from nmt_ib.errors import RequestError
from nmt_ib.info.samples import Partners, Samples, check_paired, numbers_of, of_order_one
from nmt_ib.results.estimate import Estimate

EPS = 1e-10  # relative: below it, a direction is constant, or a squared correlation is 1


def gaussian_nats(covariance: Float[np.ndarray, "D D"], x_width: int) -> float:
    r"""I(X;Y) of jointly Gaussian X and Y.

    .. math:: \tfrac12 (\ln \det \Sigma_x + \ln \det \Sigma_y - \ln \det \Sigma)

    Args:
        covariance: Joint covariance of X and Y, X first.
        x_width: Dimension of X.

    Returns:
        Nats, >= 0, exact.

    Raises:
        RequestError: There is no X or no Y, or the covariance is not positive definite.
    """
    if not 0 < x_width < len(covariance):
        raise RequestError(f"X has {x_width} of {len(covariance)} dimensions: expected at least 1 for X and 1 for Y")
    x, y = covariance[:x_width, :x_width], covariance[x_width:, x_width:]
    return 0.5 * (_log_det(x) + _log_det(y) - _log_det(covariance))


def linear_input_nats(
    weights: Float[np.ndarray, "H D"],
    input_covariance: Float[np.ndarray, "D D"],
    noise_variance: float,
    inputs: Sequence[int] | None = None,
) -> float:
    r"""I(X_A;T) of T = W X + Z, a layer of a linear network, for Gaussian X and Z ~ N(0, s^2 I).

    .. math::
        \tfrac12 \ln \det(W \Sigma W^\top + s^2 I) - \tfrac12 \ln \det(W \Sigma_{\cdot|A} W^\top + s^2 I)

    where :math:`\Sigma_{\cdot|A}` is the conditional covariance of the inputs given those in A.

    Args:
        weights: :math:`W`, the product of the layers' weights up to T.
        input_covariance: :math:`\Sigma`.
        noise_variance: :math:`s^2`, positive.
        inputs: Indices A of inputs; None: all, so that the second term is :math:`\tfrac12 H \ln s^2`.

    Returns:
        Nats, >= 0, exact.

    References:
        Saxe et al. (2018), On the information bottleneck theory of deep learning, section 3 and appendix.
    """
    noise = noise_variance * np.eye(len(weights))
    given = np.arange(len(input_covariance)) if inputs is None else np.asarray(inputs, dtype=int)
    cross = input_covariance[given]
    conditional = input_covariance - cross.T @ np.linalg.pinv(cross[:, given]) @ cross
    return 0.5 * (
        _log_det(weights @ input_covariance @ weights.T + noise) - _log_det(weights @ conditional @ weights.T + noise)
    )


def linear_output_nats(
    weights: Float[np.ndarray, "H D"],
    teacher: Float[np.ndarray, "O D"],
    input_covariance: Float[np.ndarray, "D D"],
    noise_variance: float,
    output_noise_variance: float,
) -> float:
    """I(T;Y) of T = W X + Z, a layer of a linear network, and Y = W_o X + Z_o, its target, for Gaussian X.

    Args:
        weights: W, the product of the layers' weights up to T.
        teacher: W_o, weights of the linear teacher.
        input_covariance: Covariance of X.
        noise_variance: Variance of each component of Z, positive.
        output_noise_variance: Variance of each component of Z_o, positive.

    Returns:
        Nats, >= 0, exact.

    References:
        Saxe et al. (2018), section 3, without their omission of the factor 1/2.
    """
    both = np.concatenate([weights, teacher])
    noise = np.repeat([noise_variance, output_noise_variance], [len(weights), len(teacher)])
    return gaussian_nats(both @ input_covariance @ both.T + np.diag(noise), len(weights))


def gaussian_information(x: Samples, y: Partners) -> Estimate:
    r"""I(X;Y) under the assumption that X and Y are jointly Gaussian; unbiased if they are.

    .. math:: -\tfrac12 \sum_i \ln(1 - \rho_i^2) - b

    with the canonical correlations :math:`\rho_i` and the exact bias b for Gaussian samples. For other data it may be
    above or below I(X;Y): it is too low if the dependence is not linear.

    Args:
        x: Numbers, one row for each sample; constant directions are ignored.
        y: One row for each sample, in the same order.

    Returns:
        Nats, with a standard error; may be below 0 by chance.

    Raises:
        RequestError: There are no more samples than dimensions, or a direction of y is a function of x.
    """
    x_basis, y_basis = _basis(numbers_of(x, "x")), _basis(numbers_of(y, "y"))
    check_paired(x_basis, y_basis)
    samples, x_rank, y_rank = len(x_basis), x_basis.shape[1], y_basis.shape[1]
    settings = {"estimator": "gaussian", "samples": samples, "x_rank": x_rank, "y_rank": y_rank}
    if x_rank == 0 or y_rank == 0:
        return Estimate(0.0, error=0.0, settings=settings)
    if samples <= x_rank + y_rank:
        raise RequestError(
            f"{samples} samples of {x_rank} + {y_rank} dimensions: expected more samples than dimensions"
        )
    squares = np.linalg.svd(x_basis.T @ y_basis, compute_uv=False) ** 2
    if squares.max() > 1 - EPS:
        raise RequestError("a direction of y is a linear function of x: the information of Gaussians is infinite")
    bias = _bias(samples, x_rank, y_rank)
    independent = x_rank * y_rank / (2 * samples**2)  # variance of chi squared under independence
    nats = float(-0.5 * np.log1p(-squares).sum()) - bias
    return Estimate(nats, error=math.sqrt(squares.sum() / samples + independent), settings=settings)


def _basis(values: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N R"]:
    """Orthonormal basis of the centred columns."""
    values = of_order_one(values)
    centred = values - values.mean(0)
    scale = np.linalg.norm(centred, axis=0)
    used = scale > EPS * np.linalg.norm(values, axis=0)
    left, sizes, _ = np.linalg.svd(centred[:, used] / scale[used], full_matrices=False)
    return left[:, sizes > EPS * sizes.max(initial=0.0)]


def _bias(samples: int, x_width: int, y_width: int) -> float:
    """Bias of the information of a sample covariance, by the expected log-determinant of a Wishart matrix."""
    terms = digamma((samples - 1 - np.arange(x_width + y_width)) / 2)
    return float(terms[:x_width].sum() + terms[:y_width].sum() - terms.sum()) / 2


def _log_det(matrix: Float[np.ndarray, "D D"]) -> float:
    try:
        root = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise RequestError("a covariance is not positive definite: remove linearly dependent directions") from error
    return 2 * float(np.log(root.diagonal()).sum())
