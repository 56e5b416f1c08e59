r"""Forty pairs of variables with known mutual information, after the benchmark of Czyz et al. (2023).

Each is a Gaussian, Student or uniform distribution, whose information has a closed form, after invertible maps of X and
of Y, which preserve it.

References:
    Czyz, Grabowski, Vogt, Beerenwinkel & Marx (2023), Beyond normal: on the evaluation of mutual information
    estimators.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.special import digamma, gammaln, ndtr

from nmt_ib.info.gaussian import gaussian_nats

Array = Float[np.ndarray, "N D"]
Pair = tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N E"]]
Map = Callable[[Array], Array]
SPIRAL_SPEED = 1 / 9
BIMODAL_MEAN, BIMODAL_STD = 1.0, 0.3


@dataclass(frozen=True)
class Task:
    """Two variables with known mutual information.

    Attributes:
        name: Name of the task.
        x_width: Dimension of X.
        y_width: Dimension of Y.
        nats: I(X;Y), exact.
        draw: Draws x and y, given the number of samples and a generator.
    """

    name: str
    x_width: int
    y_width: int
    nats: float
    draw: Callable[[int, np.random.Generator], Pair]

    def sample(self, samples: int, seed: int) -> Pair:
        """Independent draws.

        Args:
            samples: Number of samples.
            seed: Seed of the generator.

        Returns:
            x and y, one row for each sample.
        """
        return self.draw(samples, np.random.default_rng(seed))

    def mapped(self, name: str, x_map: Map, y_map: Map | None = None) -> "Task":
        """The variables after invertible maps, with the same information.

        Args:
            name: Name of the new task.
            x_map: Invertible map of X.
            y_map: Invertible map of Y; None: that of X.

        Returns:
            The new task.
        """

        def draw(samples: int, generator: np.random.Generator) -> Pair:
            x, y = self.draw(samples, generator)
            return x_map(x), (y_map or x_map)(y)

        x, y = draw(1, np.random.default_rng(0))
        return replace(self, name=name, x_width=x.shape[1], y_width=y.shape[1], draw=draw)


def normal(name: str, covariance: Float[np.ndarray, "D D"], x_width: int) -> Task:
    """Jointly Gaussian variables.

    Args:
        name: Name of the task.
        covariance: Joint covariance of X and Y, X first.
        x_width: Dimension of X.

    Returns:
        The task.
    """
    root = np.linalg.cholesky(covariance)

    def draw(samples: int, generator: np.random.Generator) -> Pair:
        both = generator.standard_normal((samples, len(root))) @ root.T
        return both[:, :x_width], both[:, x_width:]

    return Task(name, x_width, len(root) - x_width, gaussian_nats(covariance, x_width), draw)


def student(width: int, freedom: int) -> Task:
    r"""Uncorrelated multivariate Student variables, which are dependent through their common scale.

    .. math::
        I = f(\nu) + f(\nu + m + n) - f(\nu + m) - f(\nu + n), \qquad f(u) = \ln \Gamma(u/2) - \tfrac u2 \psi(u/2)

    Args:
        width: Dimension of X and of Y, m = n.
        freedom: Degrees of freedom :math:`\nu`.

    Returns:
        The task.

    References:
        Arellano-Valle, Contreras-Reyes & Genton (2013), Shannon entropy and mutual information for multivariate
        skew-elliptical distributions.
    """

    def f(u: int) -> float:
        return float(gammaln(u / 2) - u / 2 * digamma(u / 2))

    def draw(samples: int, generator: np.random.Generator) -> Pair:
        scale = np.sqrt(freedom / generator.chisquare(freedom, (samples, 1)))
        both = generator.standard_normal((samples, 2 * width)) * scale
        return both[:, :width], both[:, width:]

    nats = f(freedom) + f(freedom + 2 * width) - 2 * f(freedom + width)
    return Task(f"student-identity-{width}x{width}-{freedom}", width, width, nats, draw)


def additive_uniform(noise: float) -> Task:
    r"""X uniform on [0, 1] and Y = X + N, N uniform on [-noise, noise].

    Args:
        noise: Half-width :math:`\epsilon` of the noise; the information is :math:`\epsilon - \ln 2 \epsilon` if
            :math:`\epsilon \le 1/2`, else :math:`1 / 4 \epsilon`.

    Returns:
        The task.
    """

    def draw(samples: int, generator: np.random.Generator) -> Pair:
        x = generator.random((samples, 1))
        return x, x + generator.uniform(-noise, noise, (samples, 1))

    nats = noise - math.log(2 * noise) if noise <= 0.5 else 1 / (4 * noise)
    return Task(f"additive-uniform-{noise}", 1, 1, nats, draw)


def half_cube(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Signed power 3/2 of each number, which makes the tails heavier."""
    return x * np.sqrt(np.abs(x))


def wiggly(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Each number plus sine waves; increasing, as the slopes of the waves sum to 0.84 at most."""
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1) + 0.03 * np.sin(3.3 * x - 2.5)


def bimodal(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Maps standard normal numbers to an equal mixture of two narrow normals at -1 and 1, by bisection."""
    share = ndtr(x)
    low, high = np.full_like(x, -10.0), np.full_like(x, 10.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = (ndtr((middle - BIMODAL_MEAN) / BIMODAL_STD) + ndtr((middle + BIMODAL_MEAN) / BIMODAL_STD)) / 2 < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def swiss_roll(x: Float[np.ndarray, "N 1"]) -> Float[np.ndarray, "N 2"]:
    """Maps numbers from 0 to 1 to a spiral in the plane."""
    angle = 1.5 * math.pi * (1 + 2 * x)
    return np.concatenate([angle * np.cos(angle), angle * np.sin(angle)], 1) / 21


def spiral(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Rotates the first two dimensions by an angle that grows with the squared norm of the point."""
    angle = SPIRAL_SPEED * np.square(x).sum(1)
    cos, sin = np.cos(angle), np.sin(angle)
    first, second = x[:, 0] * cos - x[:, 1] * sin, x[:, 0] * sin + x[:, 1] * cos
    return np.concatenate([first[:, None], second[:, None], x[:, 2:]], 1)


def _dense(width: int, correlation: float = 0.5) -> Float[np.ndarray, "D D"]:
    return np.full((2 * width, 2 * width), correlation) + (1 - correlation) * np.eye(2 * width)


def _two_pairs(width: int, correlation: float = 0.8) -> Float[np.ndarray, "D D"]:
    covariance = np.eye(2 * width)
    for index in range(2):
        covariance[index, width + index] = covariance[width + index, index] = correlation
    return covariance


def _one_dimensional() -> list[Task]:
    pair = normal("normal-1x1", np.array([[1, 0.75], [0.75, 1]]), 1)
    maps = {"normal-cdf": ndtr, "half-cube": half_cube, "wiggly": wiggly, "bimodal": bimodal}
    return [
        pair,
        *(pair.mapped(f"{name}-1x1", function) for name, function in maps.items()),
        additive_uniform(0.1),
        additive_uniform(0.75),
        student(1, 1),
        student(1, 1).mapped("asinh-student-1x1-1", np.arcsinh),
        pair.mapped("swiss-roll-2x1", lambda x: swiss_roll(ndtr(x)), ndtr),
    ]


def _many_dimensional() -> list[Task]:
    pairs = {width: normal(f"two-pairs-{width}x{width}", _two_pairs(width), width) for width in (2, 3, 5, 25)}
    dense = [normal(f"dense-{width}x{width}", _dense(width), width) for width in (2, 3, 5, 25, 50)]
    students = [student(width, freedom) for width, freedom in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))]
    maps: dict[str, Map] = {
        "normal-cdf": ndtr, "half-cube": half_cube, "spiral": spiral, "spiral-cdf": lambda x: spiral(ndtr(x)),
    }  # fmt: skip
    mapped = [
        pairs[width].mapped(f"{name}-{width}x{width}", function)
        for name, function in maps.items()
        for width in (3, 5, 25)
    ]
    tails = [task.mapped(f"asinh-{task.name}", np.arcsinh) for task in (students[0], students[2], students[4])]
    return [*dense, *pairs.values(), *students, *mapped, *tails]


TASKS: dict[str, Task] = {task.name: task for task in (*_one_dimensional(), *_many_dimensional())}
