"""Estimators of information as their papers write them: one point, one pair, one pass at a time."""

import math
from collections import Counter

import numpy as np
from scipy.special import digamma, logsumexp


def plug_in(x, y):
    """I(X;Y) from counts of hashable values."""
    pairs, xs, ys = Counter(zip(x, y, strict=True)), Counter(x), Counter(y)
    return sum(
        count / len(x) * math.log(count * len(x) / (xs[one] * ys[other])) for (one, other), count in pairs.items()
    )


def kernel_entropy(points, variance, upper):
    """The pairwise-distance bounds of Kolchinsky & Tracey (2017) on the entropy of a mixture of Gaussians."""
    samples, width = points.shape
    distances = ((points[:, None] - points) ** 2).sum(2)
    kernel_variance = variance if upper else 4 * variance
    log_density = logsumexp(-distances / (2 * kernel_variance), axis=1) - math.log(samples)
    log_density -= width / 2 * math.log(2 * math.pi * kernel_variance)
    return -log_density.mean() + width / 2 + (0 if upper else width / 2 * math.log(0.25))


def kernel_information(points, labels, variance, upper):
    """I(X;T) and I(T;Y): entropies of all points, of the noise, and of each class, each from its own distances."""
    whole = kernel_entropy(points, variance, upper)
    noise = points.shape[1] / 2 * (math.log(2 * math.pi * variance) + 1)
    classes = [(labels == c).mean() * kernel_entropy(points[labels == c], variance, upper) for c in np.unique(labels)]
    return whole - noise, whole - sum(classes)


def smoothed_nll(point, centres, sigma):
    """-ln of the density of a mixture of equal Gaussians."""
    width = centres.shape[1]
    exponents = -((centres - point) ** 2).sum(1) / (2 * sigma**2)
    return math.log(len(centres)) + width / 2 * math.log(2 * math.pi * sigma**2) - logsumexp(exponents)


def ksg(x, y, neighbours, variant):
    """Kraskov, Stoegbauer & Grassberger (2004), eq. 8 or 9, with all distances; columns are taken as they are."""
    x_distance, y_distance = (np.abs(part[:, None] - part).max(2) for part in (x, y))
    total = 0.0
    for i in range(len(x)):
        others = np.arange(len(x)) != i
        x_row, y_row = x_distance[i, others], y_distance[i, others]
        nearest = np.argsort(np.maximum(x_row, y_row))[:neighbours]
        if variant == 1:
            radius = np.maximum(x_row, y_row)[nearest[-1]]
            total += digamma((x_row < radius).sum() + 1) + digamma((y_row < radius).sum() + 1)
        else:
            total += digamma((x_row <= x_row[nearest].max()).sum()) + digamma((y_row <= y_row[nearest].max()).sum())
    correction = 1 / neighbours if variant == 2 else 0
    return digamma(neighbours) - correction + digamma(len(x)) - total / len(x)
