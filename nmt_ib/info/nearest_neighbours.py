"""Mutual information from distances to nearest neighbours (Kraskov, Stoegbauer & Grassberger 2004)."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from scipy.special import digamma

from nmt_ib.errors import RequestError
from nmt_ib.info.samples import Partners, Samples, check_paired, numbers_of, of_order_one
from nmt_ib.results.estimate import Estimate

JITTER = 1e-10  # in standard deviations of the column
VARIANTS = 1, 2
MAX_TREE_DIMENSIONS = 4  # up to which a k-d tree is faster than computing all distances
MAX_DISTANCES = 2**21  # computed at a time


def ksg_information(x: Samples, y: Partners, neighbours: int = 5, variant: int = 1, seed: int = 0) -> Estimate:
    r"""I(X;Y) of continuous variables from exact nearest neighbours in the maximum norm.

    .. math::
        I_1 = \psi(k) + \psi(N) - \langle \psi(n_x + 1) + \psi(n_y + 1) \rangle, \qquad
        I_2 = \psi(k) - \tfrac1k + \psi(N) - \langle \psi(n_x) + \psi(n_y) \rangle

    In the first variant n counts points strictly closer in x (in y) than the k-th neighbour in the joint space, in the
    second those within the smallest rectangle around the k neighbours. Nearly unbiased up to about 1 nat in few
    dimensions, and for independent x and y. Too low for strong dependence, as it cannot exceed
    :math:`\psi(N) - \psi(k)`, for heavy tails, and from about 5 dimensions. Columns are standardised first. The method
    assumes continuous variables: repeated values, and only these, get random noise of 1e-10 standard deviations.

    Args:
        x: Numbers, one row for each sample; constant columns are ignored.
        y: One row for each sample, in the same order.
        neighbours: Number :math:`k` of neighbours; a larger one lowers the variance and raises the bias.
        variant: 1 or 2, see above.
        seed: Seed of the noise on repeated values.

    Returns:
        Nats, with a standard error for independent samples; may be below 0 by chance. 0 if x or y is constant.

    Raises:
        RequestError: The number of neighbours is not an integer from 1 to one less than the number of points, or there
            is no such variant.

    References:
        Kraskov, Stoegbauer & Grassberger (2004), Estimating mutual information, eq. 8 and 9.
    """
    if variant not in VARIANTS:
        raise RequestError(f"unknown variant {variant}; known: 1, 2")
    parts = [_scaled(numbers_of(x, "x")), _scaled(numbers_of(y, "y"))]
    check_paired(*parts)
    if not isinstance(neighbours, int | np.integer) or not 1 <= neighbours < len(parts[0]):
        raise RequestError(
            f"{neighbours} neighbours of {len(parts[0])} points: expected an integer from 1 to {len(parts[0]) - 1}"
        )
    settings = {
        "estimator": "ksg", "variant": variant, "neighbours": neighbours, "samples": len(parts[0]), "seed": seed
    }  # fmt: skip
    if not all(part.shape[1] for part in parts):
        return Estimate(0.0, error=0.0, settings=settings)
    generator = np.random.default_rng(seed)
    untied, ties = zip(*(_untied(part, generator) for part in parts), strict=True)
    both = np.concatenate(untied, 1)
    distances, indices = _nearest(both, neighbours + 1)
    terms = np.sum([_first(part, distances) if variant == 1 else _second(part, indices) for part in untied], 0)
    nats = float(digamma(neighbours) + digamma(len(both)) - terms.mean()) - (1 / neighbours if variant == 2 else 0.0)
    warnings = (f"{sum(ties)} repeated values got random noise of {JITTER:g} standard deviations",)
    error = float(terms.std()) / len(both) ** 0.5
    return Estimate(nats, error=error, settings=settings, warnings=warnings if any(ties) else ())


def _scaled(values: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N C"]:
    """Standardised columns, without constant ones."""
    varied = of_order_one(values[:, values.max(0) > values.min(0)])
    return (varied - varied.mean(0)) / varied.std(0)


def _untied(values: Float[np.ndarray, "N D"], generator: np.random.Generator) -> tuple[Float[np.ndarray, "N D"], int]:
    """The values with noise on those that are repeated in their column, and the number of these."""
    tied = np.empty(values.shape, dtype=bool)
    for column, flags in zip(values.T, tied.T, strict=True):
        _, indices, counts = np.unique(column, return_inverse=True, return_counts=True)
        flags[:] = counts[indices] > 1
    return values + JITTER * tied * generator.standard_normal(values.shape), int(tied.sum())


def _first(part: Float[np.ndarray, "N D"], radius: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """psi(n + 1), n being the number of other points strictly within the distance of the k-th neighbour."""
    return digamma(_within(part, np.nextafter(radius, 0)))


def _second(part: Float[np.ndarray, "N D"], indices: Int[np.ndarray, "N K"]) -> Float[np.ndarray, " N"]:
    """psi(n), n being the number of other points within the distance of the farthest neighbour."""
    radius = np.abs(part[indices] - part[:, None]).max((1, 2))
    return digamma(_within(part, radius) - 1)


def _nearest(part: Float[np.ndarray, "N D"], points: int) -> tuple[Float[np.ndarray, " N"], Int[np.ndarray, "N K"]]:
    """Distance of the farthest of the nearest points; indices of these, in any order, the point itself included."""
    if part.shape[1] <= MAX_TREE_DIMENSIONS:
        distances, indices = cKDTree(part).query(part, points, p=np.inf)
        return distances[:, -1], indices
    indices = np.concatenate([block.argpartition(points - 1)[:, :points] for block in _distances(part)])
    return np.abs(part[indices] - part[:, None]).max((1, 2)), indices


def _within(part: Float[np.ndarray, "N D"], radius: Float[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Number of points within a distance, the point itself included."""
    if part.shape[1] <= MAX_TREE_DIMENSIONS:
        return cKDTree(part).query_ball_point(part, radius, p=np.inf, return_length=True)
    limits = np.array_split(radius, _blocks(part))
    return np.concatenate([(b <= limit[:, None]).sum(1) for b, limit in zip(_distances(part), limits, strict=True)])


def _distances(part: Float[np.ndarray, "N D"]) -> Iterator[Float[np.ndarray, "B N"]]:
    return (cdist(rows, part, "chebyshev") for rows in np.array_split(part, _blocks(part)))


def _blocks(part: Float[np.ndarray, "N D"]) -> int:
    return -(-(len(part) ** 2) // MAX_DISTANCES)
