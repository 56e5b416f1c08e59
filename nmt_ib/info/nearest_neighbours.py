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

JITTER = 1e-10  # of a column's standard deviation
VARIANTS = 1, 2
TREE_WIDTH = 4  # dimensions up to which a tree finds neighbours sooner than all distances do
DISTANCES = 2**21  # at a time


def ksg_information(x: Samples, y: Partners, neighbours: int = 5, variant: int = 1, seed: int = 0) -> Estimate:
    r"""I(X;Y) of continuous variables from exact nearest neighbours in the maximum norm.

    .. math::
        I_1 = \psi(k) + \psi(N) - \langle \psi(n_x + 1) + \psi(n_y + 1) \rangle, \qquad
        I_2 = \psi(k) - \tfrac1k + \psi(N) - \langle \psi(n_x) + \psi(n_y) \rangle

    In the first n counts points strictly nearer in x (in y) than the k-th neighbour in both, in the second those
    within the smallest rectangle around the k neighbours. Nearly unbiased up to about 1 nat in few dimensions, and
    where x and y are independent. Too low for strong dependence, as it cannot exceed :math:`\psi(N) - \psi(k)`, for
    heavy tails, and from about 5 dimensions on. Columns are divided by their standard deviations first. Values that
    occur more than once break the assumption; they, and only they, are moved by 1e-10 standard deviations at random.

    Args:
        x: Numbers, one row a sample; constant columns are left out.
        y: The same, row by row.
        neighbours: :math:`k`; more give less variance for more bias.
        variant: 1 or 2, of the equations above.
        seed: Of the moves.

    Returns:
        Nats, with a standard error that takes samples for independent; may be below 0 by chance. 0 where x or y is
        constant.

    Raises:
        RequestError: There are no more points than neighbours, no whole number of neighbours >= 1, or no such variant.

    References:
        Kraskov, Stoegbauer & Grassberger (2004), Estimating mutual information, eq. 8 and 9.
    """
    if variant not in VARIANTS:
        raise RequestError(f"unknown variant {variant}; known: 1, 2")
    parts = [_scaled(numbers_of(x, "x")), _scaled(numbers_of(y, "y"))]
    check_paired(*parts)
    if not isinstance(neighbours, int | np.integer) or not 1 <= neighbours < len(parts[0]):
        raise RequestError(
            f"{neighbours} neighbours among {len(parts[0])} points: expected a whole number, 1 or more, and more points"
        )
    settings = {
        "estimator": "ksg",
        "variant": variant,
        "neighbours": neighbours,
        "samples": len(parts[0]),
        "seed": seed,
    }
    if not all(part.shape[1] for part in parts):
        return Estimate(0.0, error=0.0, settings=settings)
    generator = np.random.default_rng(seed)
    untied, tied = zip(*(_untied(part, generator) for part in parts), strict=True)
    both = np.concatenate(untied, 1)
    distances, places = _nearest(both, neighbours + 1)
    terms = np.sum([_first(part, distances) if variant == 1 else _second(part, places) for part in untied], 0)
    nats = float(digamma(neighbours) + digamma(len(both)) - terms.mean()) - (1 / neighbours if variant == 2 else 0.0)
    warnings = (f"{sum(tied)} values occur more than once and were moved by {JITTER:g} standard deviations",)
    error = float(terms.std()) / len(both) ** 0.5
    return Estimate(nats, error=error, settings=settings, warnings=warnings if any(tied) else ())


def _scaled(values: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N C"]:
    """Columns over their standard deviations, constant ones left out."""
    varied = of_order_one(values[:, values.max(0) > values.min(0)])
    return (varied - varied.mean(0)) / varied.std(0)


def _untied(values: Float[np.ndarray, "N D"], generator: np.random.Generator) -> tuple[Float[np.ndarray, "N D"], int]:
    """The values with those that are not unique in their column moved, and how many these are."""
    tied = np.empty(values.shape, dtype=bool)
    for column, flags in zip(values.T, tied.T, strict=True):
        _, places, counts = np.unique(column, return_inverse=True, return_counts=True)
        flags[:] = counts[places] > 1
    return values + JITTER * tied * generator.standard_normal(values.shape), int(tied.sum())


def _first(part: Float[np.ndarray, "N D"], radius: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """psi(n + 1) of the points strictly within the distance of the k-th neighbour, the point itself left out."""
    return digamma(_within(part, np.nextafter(radius, 0)))


def _second(part: Float[np.ndarray, "N D"], places: Int[np.ndarray, "N K"]) -> Float[np.ndarray, " N"]:
    """psi(n) of the points within the farthest of the neighbours, the point itself left out."""
    radius = np.abs(part[places] - part[:, None]).max((1, 2))
    return digamma(_within(part, radius) - 1)


def _nearest(part: Float[np.ndarray, "N D"], points: int) -> tuple[Float[np.ndarray, " N"], Int[np.ndarray, "N K"]]:
    """The nearest points of each, itself among them, in any order; and the distance of the farthest of them."""
    if part.shape[1] <= TREE_WIDTH:
        distances, places = cKDTree(part).query(part, points, p=np.inf)
        return distances[:, -1], places
    found = [block.argpartition(points - 1)[:, :points] for block in _distances(part)]
    places = np.concatenate(found)
    return np.abs(part[places] - part[:, None]).max((1, 2)), places


def _within(part: Float[np.ndarray, "N D"], radius: Float[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """How many points lie within a distance, the point itself among them."""
    if part.shape[1] <= TREE_WIDTH:
        return cKDTree(part).query_ball_point(part, radius, p=np.inf, return_length=True)
    limits = np.array_split(radius, _blocks(part))
    return np.concatenate([(b <= limit[:, None]).sum(1) for b, limit in zip(_distances(part), limits, strict=True)])


def _distances(part: Float[np.ndarray, "N D"]) -> Iterator[Float[np.ndarray, "B N"]]:
    return (cdist(rows, part, "chebyshev") for rows in np.array_split(part, _blocks(part)))


def _blocks(part: Float[np.ndarray, "N D"]) -> int:
    return -(-(len(part) ** 2) // DISTANCES)
