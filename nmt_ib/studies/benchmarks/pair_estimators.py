"""Estimators of mutual information between continuous variables, by name."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from jaxtyping import Float
from sklearn.cluster import MiniBatchKMeans

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import Bins, EqualCounts, LayerBounds, binned_information
from nmt_ib.info.clustering import clustered_information
from nmt_ib.info.gaussian import gaussian_information
from nmt_ib.info.kde import kde_layer
from nmt_ib.info.nearest_neighbours import ksg_information
from nmt_ib.info.neural import CriticTraining, neural_information
from nmt_ib.results.estimate import Estimate

X = Float[np.ndarray, "N D"]
Y = Float[np.ndarray, "N E"]
PairEstimator = Callable[[X, Y, int], Estimate]
MIN_SAMPLES_PER_CELL = 5  # the usual rule for contingency tables
MAX_ENTROPY_SHARE = 0.9  # of ln N; above it, nearly all of the density around a point is due to the point itself


def gaussian(x: X, y: Y, seed: int) -> Estimate:
    """By canonical correlations, exact for Gaussian variables.

    Args:
        x: One row for each sample.
        y: One row for each sample, in the same order.
        seed: Not used.

    Returns:
        See `gaussian_information`.
    """
    return gaussian_information(x, y)


def nearest_neighbours(x: X, y: Y, seed: int, variant: int) -> Estimate:
    """By nearest neighbours: the estimators of Kraskov, Stoegbauer & Grassberger.

    Args:
        x: One row for each sample.
        y: One row for each sample, in the same order.
        seed: Seed of the noise on repeated values.
        variant: 1 or 2.

    Returns:
        See `ksg_information`.
    """
    return ksg_information(x, y, variant=variant, seed=seed)


def binned(x: X, y: Y, seed: int, bins: Callable[[int], Bins]) -> Estimate:
    """By binning x and y, with the Miller-Madow correction.

    Args:
        x: One row for each sample.
        y: One row for each sample, in the same order.
        seed: Not used.
        bins: Binning with a given number of bins for each column.

    Returns:
        See `binned_information`; the largest number of bins with `MIN_SAMPLES_PER_CELL` samples for each joint cell of
        x and y on average.

    Raises:
        RequestError: There are too few samples for two bins in each column.
    """
    columns = x.shape[1] + y.shape[1]
    count = math.floor((len(x) / MIN_SAMPLES_PER_CELL) ** (1 / columns))
    if count < 2:
        needed = MIN_SAMPLES_PER_CELL * 2**columns
        raise RequestError(f"2 bins in each of {columns} dimensions need {needed:,} samples, got {len(x):,}")
    return binned_information(x, y, bins(count), bins(count), miller_madow=True)


def clustered(x: X, y: Y, seed: int) -> Estimate:
    """By k-means clustering of x and y.

    Args:
        x: One row for each sample.
        y: One row for each sample, in the same order.
        seed: Seed of k-means.

    Returns:
        See `clustered_information`; at most I(X;Y) in expectation. The number of clusters is the largest with
        `MIN_SAMPLES_PER_CELL` samples for each pair of clusters on average.
    """
    clusters = math.isqrt(len(x) // MIN_SAMPLES_PER_CELL)
    labels = MiniBatchKMeans(clusters, random_state=seed, n_init=3).fit_predict(y)
    return clustered_information(x, labels, clusters=clusters, seed=seed)


def kernels(x: X, y: Y, seed: int) -> Estimate:
    r"""By kernel density estimates of three entropies: h(X) + h(Y) - h(X,Y).

    Columns are standardised; all kernels have the bandwidth of Silverman's rule for (X, Y), so that the entropies of
    the kernels cancel and the estimate is that of X and Y with added noise. The kernel of a sample itself is included:
    in high dimension, where neighbours are far, all three entropies and hence the estimate approach ln N.

    Args:
        x: One row for each sample.
        y: One row for each sample, in the same order.
        seed: Not used.

    Returns:
        Nats, <= 2 ln N.

    References:
        Moon, Rajagopalan & Lall (1995), Estimation of mutual information using kernel density estimators; the sums of
        kernels are those of `kde_layer`.
    """
    columns = x.shape[1] + y.shape[1]
    variance = (4 / (len(x) * (columns + 2))) ** (2 / (columns + 4))
    parts = [(part - part.mean(0)) / part.std(0) for part in (x, y)]
    one_class = np.zeros(len(x), dtype=np.int64)
    h_x, h_y, h_xy = (
        kde_layer(points, one_class, variance)[1].i_x.nats for points in (*parts, np.concatenate(parts, 1))
    )
    isolated = h_xy > MAX_ENTROPY_SHARE * math.log(len(x))
    warnings = (f"{len(x)} samples are far apart in {columns} dimensions: the estimate approaches ln {len(x)}",)
    settings = {"estimator": "kde", "variance": variance, "samples": len(x)}
    return Estimate(h_x + h_y - h_xy, settings=settings, warnings=warnings if isolated else ())


def neural(x: X, y: Y, seed: int, bound: str) -> Estimate:
    """By a variational bound with a trained critic.

    Args:
        x: One row for each sample.
        y: One row for each sample, in the same order.
        seed: Seed of the critic and of the split of the sample.
        bound: A name of `nmt_ib.info.bounds.BOUNDS`.

    Returns:
        See `neural_information`.
    """
    return neural_information(x, y, bound, CriticTraining(seed=seed))


PAIR_ESTIMATORS: dict[str, PairEstimator] = {
    "gaussian": gaussian,
    "ksg": partial(nearest_neighbours, variant=1),
    "ksg2": partial(nearest_neighbours, variant=2),
    "binning": partial(binned, bins=LayerBounds),
    "adaptive": partial(binned, bins=EqualCounts),
    "clustering": clustered,
    "kde": kernels,
    **{bound: partial(neural, bound=bound) for bound in ("infonce", "nwj", "dv", "smile")},
}
NOT_FOR_PAIRS = {
    "discrete": "it counts equal values, which samples of continuous variables do not have; use binning",
    "sp": "it needs the internal noise of a network, which pairs do not have; use kde, which adds noise",
    "exact": "it needs the weights of a linear network, not samples; use gaussian",
}


def chosen_estimators(names: Sequence[str]) -> dict[str, PairEstimator]:
    """Estimators by name.

    Args:
        names: Names of `PAIR_ESTIMATORS`, or "all" alone.

    Returns:
        The estimators by name.

    Raises:
        RequestError: There is no name, an unknown one, or one of an estimator that does not apply to pairs.
    """
    for name in names:
        if name in NOT_FOR_PAIRS:
            raise RequestError(f"{name} cannot be compared on pairs of continuous variables: {NOT_FOR_PAIRS[name]}")
        if name not in PAIR_ESTIMATORS and list(names) != ["all"]:
            raise RequestError(f"unknown estimator {name!r}; known: {', '.join(PAIR_ESTIMATORS)}")
    if not names:
        raise RequestError(f"no estimator is named; known: {', '.join(PAIR_ESTIMATORS)}")
    return dict(PAIR_ESTIMATORS) if list(names) == ["all"] else {name: PAIR_ESTIMATORS[name] for name in names}
