"""A binary task that is invariant to rotations: patterns of points on a sphere."""

import math

import numpy as np
from jaxtyping import Bool, Float
from numpy.polynomial.legendre import legval
from scipy.optimize import brentq
from scipy.special import expit

from nmt_ib.errors import RequestError
from nmt_ib.info.joint_table import channel_nats
from nmt_ib.numerics import BITS_PER_NAT

POINTS, DEGREES, BLUR = 12, 7, 0.1
MIN_STEEPNESS, MAX_STEEPNESS = 1e-3, 1e4  # from labels that are almost random to labels that are almost certain


def sphere_energy() -> tuple[Float[np.ndarray, "N I"], Float[np.ndarray, " N"], float]:
    r"""The 4,096 patterns of 12 points on a sphere, and a function that is invariant to rotations and reflections.

    Shwartz-Ziv & Tishby (2017) describe theirs as a function of the power spectrum of a pattern in spherical
    harmonics, with a threshold that makes both classes equally likely. Here the points are the vertices of an
    icosahedron, which give 64 different spectra, as many as theirs. By the addition theorem the power of degree l is

    .. math:: p_l = \frac{2l + 1}{4\pi} \sum_{ij} x_i x_j P_l(\cos \theta_{ij})

    The function is :math:`\sum_l e^{-0.1\, l (l + 1)} p_l`, the energy of the pattern after diffusion on the sphere.
    Theirs is not published, so the labels differ; H(Y) is close.

    Returns:
        Binary patterns; their energies, 64 different ones; and the threshold, halfway between two of them.
    """
    golden = (1 + 5**0.5) / 2
    face = np.array([[0, one, golden * other] for one in (-1, 1) for other in (-1, 1)])
    vertices = np.concatenate([np.roll(face, turn, axis=1) for turn in range(3)]) / math.hypot(1, golden)
    degree = np.arange(DEGREES)
    weights = (2 * degree + 1) / (4 * math.pi) * np.exp(-BLUR * degree * (degree + 1))
    patterns = (np.arange(2**POINTS)[:, None] >> np.arange(POINTS) & 1).astype(float)
    energy = np.einsum("ni,ij,nj->n", patterns, legval(vertices @ vertices.T, weights), patterns).round(9)
    levels, counts = np.unique(energy, return_counts=True)
    cut = np.abs(counts.cumsum() / len(patterns) - 0.5).argmin()
    return patterns, energy, float(levels[cut : cut + 2].mean())


def sphere_rule() -> tuple[Float[np.ndarray, "N I"], Bool[np.ndarray, " N"]]:
    """The patterns of `sphere_energy`, and whether the energy of each exceeds the threshold.

    Returns:
        Patterns and binary labels, whose entropy is 0.9996 bits.
    """
    patterns, energy, threshold = sphere_energy()
    return patterns, energy > threshold


def soft_sphere_rule(i_xy_bits: float) -> Float[np.ndarray, "N K"]:
    r"""p(y|x) of the patterns of `sphere_energy`, a logistic function of the energy.

    .. math:: p(y = 1|x) = 1 / (1 + e^{-\gamma (f(x) - \theta)})

    The steepness :math:`\gamma` is set so that I(X;Y) has the given value, about 0.99 bits in Shwartz-Ziv & Tishby
    (2017).

    Args:
        i_xy_bits: I(X;Y).

    Returns:
        One distribution for each pattern.

    Raises:
        RequestError: No steepness gives that I(X;Y).
    """
    _, energy, threshold = sphere_energy()

    def rule(log_steepness: float) -> Float[np.ndarray, "N K"]:
        yes = expit(math.exp(log_steepness) * (energy - threshold))
        return np.stack([1 - yes, yes], 1)

    def excess(log_steepness: float) -> float:
        return channel_nats(rule(log_steepness)) * BITS_PER_NAT - i_xy_bits

    low, high = math.log(MIN_STEEPNESS), math.log(MAX_STEEPNESS)
    if not excess(low) < 0 < excess(high):
        raise RequestError(f"I(X;Y) of {i_xy_bits:g} bits: expected between {-excess(low):.4f} and {excess(high):.4f}")
    return rule(brentq(excess, low, high))
