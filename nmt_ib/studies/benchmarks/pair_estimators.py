"""Estimators of the information between numbers and numbers, by the names that a user types."""

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
SAMPLES_A_CELL = 5  # the usual rule of tables that are counted
ALONE = 0.9  # of ln N: nearly all of the density around a point is its own


def gaussian(x: X, y: Y, seed: int) -> Estimate:
    """Canonical correlations, as if all were Gaussian.

    Args:
        x: Numbers, one row a sample.
        y: The same, row by row.
        seed: Not needed.

    Returns:
        See `gaussian_information`.
    """
    return gaussian_information(x, y)


def nearest_neighbours(x: X, y: Y, seed: int, variant: int) -> Estimate:
    """Kraskov, Stoegbauer & Grassberger's estimators.

    Args:
        x: Numbers, one row a sample.
        y: The same, row by row.
        seed: Of moves of equal values.
        variant: 1 or 2.

    Returns:
        See `ksg_information`.
    """
    return ksg_information(x, y, variant=variant, seed=seed)


def binned(x: X, y: Y, seed: int, bins: Callable[[int], Bins]) -> Estimate:
    """Cells of x and of y, counted, with the correction of Miller & Madow.

    Args:
        x: Numbers, one row a sample.
        y: The same, row by row.
        seed: Not needed.
        bins: Makes a number of bins of each column.

    Returns:
        See `binned_information`; with as many bins as leave `SAMPLES_A_CELL` samples to each cell of x and y.

    Raises:
        RequestError: Two bins a column are too many.
    """
    columns, cells = x.shape[1] + y.shape[1], len(x) / SAMPLES_A_CELL
    count = math.floor(cells ** (1 / columns))
    if count < 2:
        raise RequestError(
            f"{columns} dimensions cut in two are more cells than {len(x)} samples can fill: {SAMPLES_A_CELL} a cell"
            f" allow {max(0, math.floor(math.log2(cells)))}"
        )
    return binned_information(x, y, bins(count), bins(count), miller_madow=True)


def clustered(x: X, y: Y, seed: int) -> Estimate:
    """Clusters of x and of y by k-means, counted.

    Args:
        x: Numbers, one row a sample.
        y: The same, row by row.
        seed: Of k-means.

    Returns:
        See `clustered_information`; at most I(X;Y) but for chance. With as many clusters of either as leave
        `SAMPLES_A_CELL` samples to each pair of clusters.
    """
    clusters = math.isqrt(len(x) // SAMPLES_A_CELL)
    labels = MiniBatchKMeans(clusters, random_state=seed, n_init=3).fit_predict(y)
    return clustered_information(x, labels, clusters=clusters, seed=seed)


def kernels(x: X, y: Y, seed: int) -> Estimate:
    r"""Entropies of x, of y and of both, from Gaussian kernels around the samples: h(X) + h(Y) - h(X,Y).

    Columns are standardised; the kernels have one width, that of Silverman's rule for both, so that the entropies of
    the kernels themselves cancel, and what is estimated is the information of X and Y with noise of that variance.
    A sample's own kernel counts: where neighbours are far, in many dimensions, all three tend to ln N, and so does the
    estimate.

    Args:
        x: Numbers, one row a sample.
        y: The same, row by row.
        seed: Not needed.

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
    of_x, of_y, of_both = (
        float(kde_layer(points, one_class, variance)[1].i_x) for points in (*parts, np.concatenate(parts, 1))
    )
    alone = of_both > ALONE * math.log(len(x))
    warnings = (f"{len(x)} samples are far apart in {columns} dimensions: the estimate tends to ln {len(x)}",)
    settings = {"estimator": "kde", "variance": variance, "samples": len(x)}
    return Estimate(of_x + of_y - of_both, settings=settings, warnings=warnings if alone else ())


def neural(x: X, y: Y, seed: int, bound: str) -> Estimate:
    """A bound and a trained critic.

    Args:
        x: Numbers, one row a sample.
        y: The same, row by row.
        seed: Of the critic and of the parts of the sample.
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
UNFIT = {
    "discrete": "it counts equal values, of which samples of continuous variables have none; binning counts cells",
    "sp": "it needs the noise inside a network, which a sample of pairs does not have; kde adds noise of its own",
    "exact": "it needs a linear network's weights, not samples; gaussian reads correlations off a sample",
}


def chosen_estimators(names: Sequence[str]) -> dict[str, PairEstimator]:
    """The estimators that a user named.

    Args:
        names: Names of `PAIR_ESTIMATORS`; "all" alone: all of them.

    Returns:
        Name -> estimator.

    Raises:
        RequestError: There is no name, an unknown one, or one of an estimator that cannot read numbers and numbers.
    """
    for name in names:
        if name in UNFIT:
            raise RequestError(f"{name} cannot be compared on pairs of continuous variables: {UNFIT[name]}")
        if name not in PAIR_ESTIMATORS and list(names) != ["all"]:
            raise RequestError(f"unknown estimator {name!r}; known: {', '.join(PAIR_ESTIMATORS)}")
    if not names:
        raise RequestError(f"no estimator is named; known: {', '.join(PAIR_ESTIMATORS)}")
    return dict(PAIR_ESTIMATORS) if list(names) == ["all"] else {name: PAIR_ESTIMATORS[name] for name in names}
