"""Entropy and mutual information of what can be counted: rows of integers, labels or words."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from nmt_ib.info.samples import Partners, Samples, check_paired, values_of
from nmt_ib.results.estimate import Estimate

WORD_BITS = 63
RARE = 0.5  # different pairs a sample, from which on counts say little


def codes(samples: Samples, name: str = "x") -> Int[np.ndarray, " N"]:
    """A number for each row, from 0 on without gaps; rows that are equal share it.

    Args:
        samples: Values of any kind.
        name: What a message calls them.

    Returns:
        One number a row, in the order of the rows' values.
    """
    columns = [np.unique(column, return_inverse=True)[1] for column in values_of(samples, name).T]
    return joint_code(np.stack(columns, 1), [int(column.max()) + 1 for column in columns])


def joint_code(columns: Int[np.ndarray, "N D"], sizes: Sequence[int]) -> Int[np.ndarray, " N"]:
    """A number for each row of small numbers, from 0 on without gaps.

    As many columns as fit are packed into one machine word before anything is sorted: twelve columns of 30 bins.

    Args:
        columns: From 0 on.
        sizes: What the numbers of each column stay below.

    Returns:
        One number a row, in the order of the rows' values.
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

    Too low by about :math:`(K - 1) / 2 N`, where K is the number of values that X can have; the correction adds that
    for those that occur, and is right where each of them occurs several times.

    Args:
        x: One row a sample; equal rows are one value.
        miller_madow: Whether to correct the bias.

    Returns:
        Nats, with the standard error of a sample; >= 0 and, without correction, <= ln N.

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
        x: One row a sample; equal rows are one value.
        y: The same, row by row.
        miller_madow: Whether to correct the bias of both entropies, see `discrete_entropy`.

    Returns:
        Nats, with the standard error of a sample; too low by about (values of the pair - values of y) / 2 N.
    """
    x_code, y_code = _pair(x, y)
    ratio, p, sizes = _surprises(x_code, y_code)
    nll = ratio["y"] - ratio["xy"]
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

    Too high by about :math:`(K_x - 1)(K_y - 1) / 2 N`, where K are the numbers of values that are possible; the
    correction takes off what the numbers that occur say, which is too little where most pairs occur once.

    Args:
        x: One row a sample; equal rows are one value.
        y: The same, row by row.
        miller_madow: Whether to correct the bias.

    Returns:
        Nats, with the standard error of a sample (the spread of independent data included, bias excluded); without
        correction >= 0 and at most the entropies.

    References:
        Miller (1955); Roulston (1999), Estimating the errors on measured entropy and mutual information.
    """
    return information_of_codes(*_pair(x, y), miller_madow=miller_madow)


def information_of_codes(x: Int[np.ndarray, " N"], y: Int[np.ndarray, " N"], *, miller_madow: bool = False) -> Estimate:
    """`discrete_information` of numbers that `codes` or `joint_code` gave.

    Args:
        x: From 0 on without gaps.
        y: From 0 on without gaps.
        miller_madow: Whether to correct the bias.

    Returns:
        Nats.
    """
    logs, p, sizes = _surprises(x, y)
    ratio = logs["xy"] - logs["x"] - logs["y"]
    nats = float(p @ ratio)
    chance = (sizes["x"] - 1) * (sizes["y"] - 1) / (2 * len(x) ** 2)  # variance of the chi squared of independent data
    error = math.sqrt(p @ (ratio - nats) ** 2 / len(x) + chance)
    if miller_madow:
        nats -= (sizes["xy"] - sizes["x"] - sizes["y"] + 1) / (2 * len(x))
    warnings: tuple[str, ...] = ()
    if min(sizes["x"], sizes["y"]) > 1 and sizes["xy"] > RARE * len(x):
        warnings = (
            f"{sizes['xy']} different pairs among {len(x)} samples: counting finds information that is not there",
        )
    settings = _settings("information", miller_madow, len(x), **sizes)
    return Estimate(nats, error=error, settings=settings, warnings=warnings)


def _pair(x: Samples, y: Partners) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " M"]]:
    x_code, y_code = codes(x), codes(y, "y")
    check_paired(x_code, y_code)
    return x_code, y_code


def _surprises(
    x: Int[np.ndarray, " N"], y: Int[np.ndarray, " N"]
) -> tuple[dict[str, Float[np.ndarray, " P"]], Float[np.ndarray, " P"], dict[str, int]]:
    """Of each pair that occurs: log-probabilities of the pair and its parts; its probability; how many occur."""
    x_counts, y_counts = np.bincount(x), np.bincount(y)
    pairs, counts = np.unique(x * len(y_counts) + y, return_counts=True)
    logs = {
        "x": np.log(x_counts / len(x))[pairs // len(y_counts)],
        "y": np.log(y_counts / len(x))[pairs % len(y_counts)],
        "xy": np.log(counts / len(x)),
    }
    return logs, counts / len(x), {"x": len(x_counts), "y": len(y_counts), "xy": len(pairs)}


def _settings(quantity: str, miller_madow: bool, samples: int, **values: int) -> dict[str, object]:
    settings = {"estimator": "discrete", "quantity": quantity, "miller_madow": miller_madow}
    return {**settings, "samples": samples, "values": values}
