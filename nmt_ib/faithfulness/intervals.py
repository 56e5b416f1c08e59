"""Bootstrap confidence intervals of corpus-level ratios, by resampling sentences."""

from collections.abc import Sequence

import numpy as np

from nmt_ib.results.estimate import Estimate

RESAMPLES = 500


def ratio(
    numerators: Sequence[float] | np.ndarray, denominators: Sequence[float] | np.ndarray, seed: int = 0
) -> Estimate:
    """Ratio of two sums over sentences, with a 95% percentile bootstrap interval.

    Args:
        numerators: One per sentence.
        denominators: One per sentence; all 1 for a mean.
        seed: Seed of the bootstrap.

    Returns:
        The ratio and its interval; NaN if the denominators add up to 0 or less.
    """
    terms = np.array([numerators, denominators], dtype=float)
    drawn = np.random.default_rng(seed).integers(terms.shape[1], size=(RESAMPLES, terms.shape[1]))
    ratios = _ratios(terms[:, drawn])
    defined = ratios[~np.isnan(ratios)]
    low, high = np.quantile(defined, [0.025, 0.975]) if len(defined) else (np.nan, np.nan)
    return Estimate(float(_ratios(terms)), unit="", interval=(float(low), float(high)))


def _ratios(terms: np.ndarray) -> np.ndarray:
    numerator, denominator = terms.sum(-1)
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)
