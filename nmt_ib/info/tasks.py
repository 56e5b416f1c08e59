r"""Forty pairs of variables whose information is known: the benchmark of Czyz et al. (2023), redrawn.

Each is Gaussian, Student or uniform noise, whose information has a closed form, seen through maps of X alone and of Y
alone that can be undone, which change none of it.

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
    """Two variables that know their information.

    Attributes:
        name: What they are called.
        x_width: Dimensions of X.
        y_width: Dimensions of Y.
        nats: I(X;Y), exact.
        draw: Number of samples and generator -> x and y.
    """

    name: str
    x_width: int
    y_width: int
    nats: float
    draw: Callable[[int, np.random.Generator], Pair]

    def sample(self, samples: int, seed: int) -> Pair:
        """Independent draws.

        Args:
            samples: How many.
            seed: One seed, one sample.

        Returns:
            x and y, row by row.
        """
        return self.draw(samples, np.random.default_rng(seed))

    def seen_through(self, name: str, x_map: Map, y_map: Map | None = None) -> "Task":
        """The same information, mapped.

        Args:
            name: Of the new task.
            x_map: One-to-one, of X alone.
            y_map: Of Y; None: the same.

        Returns:
            The task, whose width is that of what the maps return.
        """

        def draw(samples: int, generator: np.random.Generator) -> Pair:
            x, y = self.draw(samples, generator)
            return x_map(x), (y_map or x_map)(y)

        x, y = draw(1, np.random.default_rng(0))
        return replace(self, name=name, x_width=x.shape[1], y_width=y.shape[1], draw=draw)


def normal(name: str, covariance: Float[np.ndarray, "D D"], x_width: int) -> Task:
    """Jointly Gaussian variables.

    Args:
        name: Of the task.
        covariance: Of X and Y together, X first.
        x_width: Dimensions of X.

    Returns:
        The task.
    """
    root = np.linalg.cholesky(covariance)

    def draw(samples: int, generator: np.random.Generator) -> Pair:
        both = generator.standard_normal((samples, len(root))) @ root.T
        return both[:, :x_width], both[:, x_width:]

    return Task(name, x_width, len(root) - x_width, gaussian_nats(covariance, x_width), draw)


def student(width: int, freedom: int) -> Task:
    r"""Student variables without correlation, which depend on each other through their common scale.

    .. math::
        I = f(\nu) + f(\nu + m + n) - f(\nu + m) - f(\nu + n), \qquad f(u) = \ln \Gamma(u/2) - \tfrac u2 \psi(u/2)

    Args:
        width: Dimensions of X and of Y, m = n.
        freedom: :math:`\nu`.

    Returns:
        The task.

    References:
        Arellano-Valle, Contreras-Reyes & Genton (2013), Shannon entropy and mutual information for multivariate
        skew-elliptical distributions.
    """

    def part(of: int) -> float:
        return float(gammaln(of / 2) - of / 2 * digamma(of / 2))

    def draw(samples: int, generator: np.random.Generator) -> Pair:
        scale = np.sqrt(freedom / generator.chisquare(freedom, (samples, 1)))
        both = generator.standard_normal((samples, 2 * width)) * scale
        return both[:, :width], both[:, width:]

    nats = part(freedom) + part(freedom + 2 * width) - 2 * part(freedom + width)
    return Task(f"student-identity-{width}x{width}-{freedom}", width, width, nats, draw)


def additive_uniform(noise: float) -> Task:
    r"""X uniform on [0, 1] and Y = X + N, N uniform on [-noise, noise].

    Args:
        noise: :math:`\epsilon`; the information is :math:`\epsilon - \ln 2 \epsilon` up to 1/2, then
            :math:`1 / 4 \epsilon`.

    Returns:
        The task.
    """

    def draw(samples: int, generator: np.random.Generator) -> Pair:
        x = generator.random((samples, 1))
        return x, x + generator.uniform(-noise, noise, (samples, 1))

    nats = noise - math.log(2 * noise) if noise <= 0.5 else 1 / (4 * noise)
    return Task(f"additive-uniform-{noise}", 1, 1, nats, draw)


def half_cube(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Each number to the power of 3/2, with its sign: longer tails."""
    return x * np.sqrt(np.abs(x))


def wiggly(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Each number plus waves that never turn it back: their slopes sum to .84."""
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1) + 0.03 * np.sin(3.3 * x - 2.5)


def bimodal(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Each standard normal number as the equally likely one of two narrow normals at -1 and 1, by bisection."""
    share = ndtr(x)
    low, high = np.full_like(x, -10.0), np.full_like(x, 10.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = (ndtr((middle - BIMODAL_MEAN) / BIMODAL_STD) + ndtr((middle + BIMODAL_MEAN) / BIMODAL_STD)) / 2 < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def swiss_roll(x: Float[np.ndarray, "N 1"]) -> Float[np.ndarray, "N 2"]:
    """Numbers from 0 to 1 along a spiral in the plane."""
    angle = 1.5 * math.pi * (1 + 2 * x)
    return np.concatenate([angle * np.cos(angle), angle * np.sin(angle)], 1) / 21


def spiral(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Points turned by an angle that grows with their distance from 0, in the plane of the first two dimensions."""
    angle = SPIRAL_SPEED * np.square(x).sum(1)
    cos, sin = np.cos(angle), np.sin(angle)
    first, second = x[:, 0] * cos - x[:, 1] * sin, x[:, 0] * sin + x[:, 1] * cos
    return np.concatenate([first[:, None], second[:, None], x[:, 2:]], 1)


def _dense(width: int, correlation: float = 0.5) -> Float[np.ndarray, "D D"]:
    return np.full((2 * width, 2 * width), correlation) + (1 - correlation) * np.eye(2 * width)


def _two_pairs(width: int, correlation: float = 0.8) -> Float[np.ndarray, "D D"]:
    covariance = np.eye(2 * width)
    for place in range(2):
        covariance[place, width + place] = covariance[width + place, place] = correlation
    return covariance


def _one_dimensional() -> list[Task]:
    pair = normal("normal-1x1", np.array([[1, 0.75], [0.75, 1]]), 1)
    maps = {"normal-cdf": ndtr, "half-cube": half_cube, "wiggly": wiggly, "bimodal": bimodal}
    return [
        pair,
        *(pair.seen_through(f"{name}-1x1", made) for name, made in maps.items()),
        additive_uniform(0.1),
        additive_uniform(0.75),
        student(1, 1),
        student(1, 1).seen_through("asinh-student-1x1-1", np.arcsinh),
        pair.seen_through("swiss-roll-2x1", lambda x: swiss_roll(ndtr(x)), ndtr),
    ]


def _many_dimensional() -> list[Task]:
    pairs = {width: normal(f"two-pairs-{width}x{width}", _two_pairs(width), width) for width in (2, 3, 5, 25)}
    dense = [normal(f"dense-{width}x{width}", _dense(width), width) for width in (2, 3, 5, 25, 50)]
    students = [student(width, freedom) for width, freedom in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))]
    maps: dict[str, Map] = {
        "normal-cdf": ndtr, "half-cube": half_cube, "spiral": spiral, "spiral-cdf": lambda x: spiral(ndtr(x)),
    }  # fmt: skip
    mapped = [
        pairs[width].seen_through(f"{name}-{width}x{width}", made)
        for name, made in maps.items()
        for width in (3, 5, 25)
    ]
    tails = [task.seen_through(f"asinh-{task.name}", np.arcsinh) for task in (students[0], students[2], students[4])]
    return [*dense, *pairs.values(), *students, *mapped, *tails]


TASKS: dict[str, Task] = {task.name: task for task in (*_one_dimensional(), *_many_dimensional())}
