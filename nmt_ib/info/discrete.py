"""Entropy and mutual information of discrete values by counting: rows of integers, labels or words."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from nmt_ib.info.samples import Partners, Samples, check_paired, values_of
from nmt_ib.results.estimate import Estimate

WORD_BITS = 63
MAX_PAIRS = 0.5  # distinct pairs per sample, above which counts are too small


def codes(samples: Samples, name: str = "x") -> Int[np.ndarray, " N"]:
    """Integer codes of rows: equal rows share a code.

    Args:
        samples: Values of any kind.
        name: Name of the samples in error messages.

    Returns:
        A code for each row, from 0 without gaps, in the order of the rows' values.
    """
    columns = [np.unique(column, return_inverse=True)[1] for column in values_of(samples, name).T]
    return joint_code(np.stack(columns, 1), [int(column.max()) + 1 for column in columns])


def joint_code(columns: Int[np.ndarray, "N D"], sizes: Sequence[int]) -> Int[np.ndarray, " N"]:
    """Integer codes of rows of small integers: equal rows share a code.

    As many columns as fit are packed into one machine word before sorting, such as twelve columns of 30 bins.

    Args:
        columns: Integers from 0.
        sizes: Number of possible values of each column.

    Returns:
        A code for each row, from 0 without gaps, in the order of the rows' values.
    """
    packed, size_of_packed = np.zeros(len(columns), np.int64), 1
    for column, size in zip(columns.T, sizes, strict=True):
        if size_of_packed * size >= 1 << WORD_BITS:
            packed = np.unique(packed, return_inverse=True)[1]
            size_of_packed = int(packed.max()) + 1
        packed = packed * size + column
        size_of_packed *= size
    return np.unique(packed, return_inverse=True)[1]


def discrete_entropy(x: Samples, *, miller_madow: bool = False) -> Estimate:
    r"""H(X) by counting.

    .. math:: -\sum_x \hat p(x) \ln \hat p(x) \; \left[ + \frac{K - 1}{2 N} \right]

    Too low by about :math:`(K - 1) / 2 N`, where K is the number of possible values of X. The Miller-Madow correction
    adds this with the number of observed values for K, which is accurate if each of them occurs several times.

    Args:
        x: One row for each sample; equal rows are one value.
        miller_madow: Whether to correct the bias.

    Returns:
        Nats, with the standard error due to sampling; >= 0 and, without correction, <= ln N.

    References:
        Miller (1955), Note on the bias of information estimates.
    """
    return _entropy(codes(x), miller_madow)


def _entropy(code: Int[np.ndarray, " N"], miller_madow: bool) -> Estimate:
    counts = np.bincount(code)
    p = counts / len(code)
    nll = -np.log(p)
    nats = float(p @ nll)
    error = math.sqrt(p @ (nll - nats) ** 2 / len(code))
    if miller_madow:
        nats += (len(counts) - 1) / (2 * len(code))
    return Estimate(nats, error=error, settings=_settings("entropy", miller_madow, len(code), values=len(counts)))


def discrete_conditional_entropy(x: Samples, y: Partners, *, miller_madow: bool = False) -> Estimate:
    r"""H(X|Y) = H(X, Y) - H(Y) by counting.

    Args:
        x: One row for each sample; equal rows are one value.
        y: One row for each sample, in the same order.
        miller_madow: Whether to correct the bias of both entropies, see `discrete_entropy`.

    Returns:
        Nats, with the standard error due to sampling; without correction too low by about
        (values of the pair - values of y) / 2 N.
    """
    x_code, y_code = _pair(x, y)
    log_p, p, sizes = _log_probabilities(x_code, y_code)
    nll = log_p["y"] - log_p["xy"]
    nats = float(p @ nll)
    error = math.sqrt(p @ (nll - nats) ** 2 / len(x_code))
    if miller_madow:
        nats += (sizes["xy"] - sizes["y"]) / (2 * len(x_code))
    settings = _settings("conditional entropy", miller_madow, len(x_code), **sizes)
    return Estimate(nats, error=error, settings=settings)


def discrete_information(x: Samples, y: Partners, *, miller_madow: bool = False) -> Estimate:
    r"""I(X;Y) by counting.

    .. math::
        \sum_{x, y} \hat p(x, y) \ln \frac{\hat p(x, y)}{\hat p(x) \hat p(y)} \;
        \left[ - \frac{K_{xy} - K_x - K_y + 1}{2 N} \right]

    Too high by about :math:`(K_x - 1)(K_y - 1) / 2 N`, where K are the numbers of possible values. The Miller-Madow
    correction uses the numbers of observed values, which is too small a correction if most pairs occur once.

    Args:
        x: One row for each sample; equal rows are one value.
        y: One row for each sample, in the same order.
        miller_madow: Whether to correct the bias.

    Returns:
        Nats, with the standard error due to sampling (including the variance under independence, but not the bias);
        without correction >= 0 and at most both entropies.

    References:
        Miller (1955); Roulston (1999), Estimating the errors on measured entropy and mutual information.
    """
    return information_of_codes(*_pair(x, y), miller_madow=miller_madow)


def information_of_codes(x: Int[np.ndarray, " N"], y: Int[np.ndarray, " N"], *, miller_madow: bool = False) -> Estimate:
    """`discrete_information` of codes from `codes` or `joint_code`.

    Args:
        x: Codes from 0 without gaps.
        y: Codes from 0 without gaps.
        miller_madow: Whether to correct the bias.

    Returns:
        Nats.
    """
    log_p, p, sizes = _log_probabilities(x, y)
    pointwise = log_p["xy"] - log_p["x"] - log_p["y"]
    nats = float(p @ pointwise)
    independent = (sizes["x"] - 1) * (sizes["y"] - 1) / (2 * len(x) ** 2)  # variance of chi squared under independence
    error = math.sqrt(p @ (pointwise - nats) ** 2 / len(x) + independent)
    if miller_madow:
        nats -= (sizes["xy"] - sizes["x"] - sizes["y"] + 1) / (2 * len(x))
    warnings: tuple[str, ...] = ()
    if min(sizes["x"], sizes["y"]) > 1 and sizes["xy"] > MAX_PAIRS * len(x):
        warnings = (f"{sizes['xy']} distinct pairs in {len(x)} samples: counting overestimates the information",)
    settings = _settings("information", miller_madow, len(x), **sizes)
    return Estimate(nats, error=error, settings=settings, warnings=warnings)


def _pair(x: Samples, y: Partners) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " M"]]:
    x_code, y_code = codes(x), codes(y, "y")
    check_paired(x_code, y_code)
    return x_code, y_code


def _log_probabilities(
    x: Int[np.ndarray, " N"], y: Int[np.ndarray, " N"]
) -> tuple[dict[str, Float[np.ndarray, " P"]], Float[np.ndarray, " P"], dict[str, int]]:
    """Log-probabilities of each observed pair and its parts; probability of each pair; numbers of observed values."""
    x_counts, y_counts = np.bincount(x), np.bincount(y)
    pairs, counts = np.unique(x * len(y_counts) + y, return_counts=True)
    log_p = {
        "x": np.log(x_counts / len(x))[pairs // len(y_counts)],
        "y": np.log(y_counts / len(x))[pairs % len(y_counts)],
        "xy": np.log(counts / len(x)),
    }
    return log_p, counts / len(x), {"x": len(x_counts), "y": len(y_counts), "xy": len(pairs)}


def _settings(quantity: str, miller_madow: bool, samples: int, **values: int) -> dict[str, object]:
    settings = {"estimator": "discrete", "quantity": quantity, "miller_madow": miller_madow}
    return {**settings, "samples": samples, "values": values}
