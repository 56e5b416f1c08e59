"""A corpus' figure with its interval, by drawing the sentences again and again."""

from collections.abc import Sequence

import numpy as np

from nmt_ib.results.estimate import Estimate

RESAMPLES = 500


def ratio(
    numerators: Sequence[float] | np.ndarray, denominators: Sequence[float] | np.ndarray, seed: int = 0
) -> Estimate:
    """Sum of one figure over the sum of another, with a percentile bootstrap over sentences.

    Args:
        numerators: One a sentence.
        denominators: One a sentence; all ones make the ratio a mean.
        seed: Seed of the bootstrap.

    Returns:
        The ratio; not defined where the denominators add up to 0 or less.
    """
    figures = np.array([numerators, denominators], dtype=float)
    drawn = np.random.default_rng(seed).integers(figures.shape[1], size=(RESAMPLES, figures.shape[1]))
    ratios = _ratios(figures[:, drawn])
    known = ratios[~np.isnan(ratios)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return Estimate(float(_ratios(figures)), unit="", interval=(float(low), float(high)))


def _ratios(figures: np.ndarray) -> np.ndarray:
    above, below = figures.sum(-1)
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
