"""Exact information of jointly Gaussian variables, of linear networks among them, and its estimate from a sample."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.special import digamma

from nmt_ib.errors import RequestError
from nmt_ib.info.samples import Partners, Samples, check_paired, numbers_of, of_order_one
from nmt_ib.results.estimate import Estimate

SAME = 1e-10  # relative: a direction without spread, or a squared correlation that is 1


def gaussian_nats(covariance: Float[np.ndarray, "D D"], x_width: int) -> float:
    r"""I(X;Y) of jointly Gaussian X and Y.

    .. math:: \tfrac12 (\ln \det \Sigma_x + \ln \det \Sigma_y - \ln \det \Sigma)

    Args:
        covariance: Of X and Y together, X first.
        x_width: Dimensions of X.

    Returns:
        Nats, >= 0, exact.

    Raises:
        RequestError: There is no X or no Y, or the covariance is not positive definite.
    """
    if not 0 < x_width < len(covariance):
        raise RequestError(f"X has {x_width} of {len(covariance)} dimensions: expected some for X and some for Y")
    x, y = covariance[:x_width, :x_width], covariance[x_width:, x_width:]
    return 0.5 * (_log_det(x) + _log_det(y) - _log_det(covariance))


def linear_input_nats(
    weights: Float[np.ndarray, "H D"],
    input_covariance: Float[np.ndarray, "D D"],
    noise_variance: float,
    inputs: Sequence[int] | None = None,
) -> float:
    r"""I(X_A;T) of T = W X + Z, Gaussian X and Z ~ N(0, s^2 I): of a linear network's layer and some of its inputs.

    .. math::
        \tfrac12 \ln \det(W \Sigma W^\top + s^2 I) - \tfrac12 \ln \det(W \Sigma_{\cdot|A} W^\top + s^2 I)

    where :math:`\Sigma_{\cdot|A}` is what remains of the inputs' covariance once those of A are known.

    Args:
        weights: :math:`W`, the product of the layers' weights up to T.
        input_covariance: :math:`\Sigma`.
        noise_variance: :math:`s^2`, above 0.
        inputs: A; None: all, which leaves :math:`\tfrac12 H \ln s^2` of the second term.

    Returns:
        Nats, >= 0, exact.

    References:
        Saxe et al. (2018), On the information bottleneck theory of deep learning, section 3 and appendix.
    """
    noise = noise_variance * np.eye(len(weights))
    kept = np.arange(len(input_covariance)) if inputs is None else np.asarray(inputs, dtype=int)
    known = input_covariance[kept]
    rest = input_covariance - known.T @ np.linalg.pinv(known[:, kept]) @ known
    return 0.5 * (
        _log_det(weights @ input_covariance @ weights.T + noise) - _log_det(weights @ rest @ weights.T + noise)
    )


def linear_output_nats(
    weights: Float[np.ndarray, "H D"],
    teacher: Float[np.ndarray, "O D"],
    input_covariance: Float[np.ndarray, "D D"],
    noise_variance: float,
    output_noise_variance: float,
) -> float:
    """I(T;Y) of T = W X + Z and Y = W_o X + Z_o, Gaussian X: of a linear network's layer and its teacher's answer.

    Args:
        weights: W, the product of the layers' weights up to T.
        teacher: W_o.
        input_covariance: Of X.
        noise_variance: Of Z, above 0.
        output_noise_variance: Of Z_o, above 0.

    Returns:
        Nats, >= 0, exact.

    References:
        Saxe et al. (2018), section 3; they leave out the factor 1/2.
    """
    both = np.concatenate([weights, teacher])
    noise = np.repeat([noise_variance, output_noise_variance], [len(weights), len(teacher)])
    return gaussian_nats(both @ input_covariance @ both.T + np.diag(noise), len(weights))


def gaussian_information(x: Samples, y: Partners) -> Estimate:
    r"""I(X;Y) of a sample, taken for Gaussian: what correlations alone tell, unbiased for Gaussian data.

    .. math:: -\tfrac12 \sum_i \ln(1 - \rho_i^2) - b

    with the canonical correlations :math:`\rho_i` and the bias b of Gaussian samples, which is exact. For other data
    there is no order between this and I(X;Y): it is below where dependence hides from correlations.

    Args:
        x: Numbers, one row a sample; directions without spread do not count.
        y: The same, row by row.

    Returns:
        Nats, with a standard error; may be below 0 by chance.

    Raises:
        RequestError: Samples are fewer than dimensions, or y follows from x.
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
    if squares.max() > 1 - SAME:
        raise RequestError("a direction of y follows from x without noise: the information of Gaussians is infinite")
    bias = _bias(samples, x_rank, y_rank)
    chance = x_rank * y_rank / (2 * samples**2)  # variance of the chi squared of independent data
    nats = float(-0.5 * np.log1p(-squares).sum()) - bias
    return Estimate(nats, error=math.sqrt(squares.sum() / samples + chance), settings=settings)


def _basis(values: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N R"]:
    """Orthonormal columns that span the columns of the values, constants left out."""
    values = of_order_one(values)
    centred = values - values.mean(0)
    scale = np.linalg.norm(centred, axis=0)
    used = scale > SAME * np.linalg.norm(values, axis=0)
    left, sizes, _ = np.linalg.svd(centred[:, used] / scale[used], full_matrices=False)
    return left[:, sizes > SAME * sizes.max(initial=0.0)]


def _bias(samples: int, x_width: int, y_width: int) -> float:
    """Of the information of a sample covariance, from the expected log-determinant of a Wishart matrix."""
    terms = digamma((samples - 1 - np.arange(x_width + y_width)) / 2)
    return float(terms[:x_width].sum() + terms[:y_width].sum() - terms.sum()) / 2


def _log_det(matrix: Float[np.ndarray, "D D"]) -> float:
    try:
        root = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise RequestError("a covariance is not positive definite: leave out directions without noise") from error
    return 2 * float(np.log(root.diagonal()).sum())
