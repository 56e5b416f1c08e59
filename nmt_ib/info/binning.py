"""Information of a layer whose units are cut into bins: the estimator of Shwartz-Ziv & Tishby and of Saxe et al."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr

from nmt_ib.errors import RequestError
from nmt_ib.info.discrete import codes, information_of_codes, joint_code
from nmt_ib.info.samples import Partners, Samples, check_paired, numbers_of
from nmt_ib.results.estimate import Estimate, LayerInformation

SZT_EDGES = tuple(float(edge) for edge in np.linspace(-1, 1, 30))
MAX_BINS = 2**31
SATURATED = 0.9  # of ln N

Binned = tuple[Int[np.ndarray, "N D"], Sequence[int]]


@runtime_checkable
class Bins(Protocol):
    """A way to cut units into bins."""

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value, from 0 on, and how many bins each unit has."""
        ...


@dataclass(frozen=True)
class FixedEdges:
    """The same edges for every unit; what lies beyond them falls into two more bins.

    Attributes:
        edges: Increasing. By default those of Shwartz-Ziv & Tishby (2017): 30 from -1 to 1, for tanh.
    """

    edges: tuple[float, ...] = SZT_EDGES

    def __post_init__(self) -> None:
        if not self.edges or (np.diff(self.edges) <= 0).any():
            raise RequestError("edges of bins do not increase: expected at least one, each above the one before")

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value; an edge belongs to the bin above it."""
        return np.digitize(layer, self.edges), [len(self.edges) + 1] * layer.shape[1]


@dataclass(frozen=True)
class FixedWidth:
    """Bins of one width without end, whose edges are its multiples.

    Attributes:
        width: By default that of Saxe et al. (2018) for small networks; theirs for MNIST is .5.
    """

    width: float = 0.07

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise RequestError(f"bins of width {self.width:g}: expected a number above 0")

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value; RequestError where a unit needs too many."""
        bins = np.floor(layer / self.width)
        bins -= bins.min(0)
        if not bins.max() < MAX_BINS:
            raise RequestError(f"a unit spreads over {bins.max():.1e} bins of width {self.width:g}: widen them")
        found = bins.astype(np.int64)
        return found, [int(most) + 1 for most in found.max(0)]


@dataclass(frozen=True)
class LayerBounds:
    """Bins of equal width between the smallest and the largest value of the layer.

    Attributes:
        bins: How many.
    """

    bins: int = 30

    def __post_init__(self) -> None:
        _check_count(self.bins)

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value; a constant layer has one."""
        low, span = layer.min(), np.ptp(layer)
        share = (layer - low) / (span if span > 0 else 1.0)
        return np.minimum((share * self.bins).astype(np.int64), self.bins - 1), [self.bins] * layer.shape[1]


@dataclass(frozen=True)
class EqualCounts:
    """Bins that hold equally many samples, for each unit its own; equal values stay together.

    Attributes:
        bins: How many.
    """

    bins: int = 30

    def __post_init__(self) -> None:
        _check_count(self.bins)

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value."""
        edges = np.quantile(layer, np.arange(1, self.bins) / self.bins, axis=0)
        columns = [np.digitize(unit, cuts) for unit, cuts in zip(layer.T, edges.T, strict=True)]
        return np.stack(columns, 1), [self.bins] * layer.shape[1]


def binned_layer(layer: Samples, labels: Partners, bins: Bins | None = None) -> LayerInformation:
    """I(X;T) and I(T;Y) of a deterministic layer: H(T) of its bins, and what they tell of the labels.

    Both are those of the binned layer, which is noisier than the layer itself: no bin width is the right one, and
    narrow bins tell every input from every other, whatever the layer does. I(X;T) is exact where the inputs are all
    there are; I(T;Y) of a sample is too high by about (codes - 1)(labels - 1) / 2 N.

    Args:
        layer: Activations, one row an input that differs from the others.
        labels: One row an input.
        bins: How units are cut; None: `FixedEdges()`.

    Returns:
        Nats; 0 <= I(T;Y) <= I(X;T) <= ln N.

    References:
        Shwartz-Ziv & Tishby (2017), Opening the black box of deep neural networks via information; Saxe et al.
        (2018), On the information bottleneck theory of deep learning.
    """
    bins = bins or FixedEdges()
    code, truth = _code(layer, bins, "layer"), codes(labels, "labels")
    check_paired(code, truth)
    p = np.bincount(code) / len(code)
    nats = float(entr(p).sum())
    settings = {"estimator": "binning", "bins": described(bins), "samples": len(code), "codes": len(p)}
    warnings: tuple[str, ...] = ()
    if len(code) > 1 and nats > SATURATED * math.log(len(code)):
        warnings = (f"nearly every input has bins of its own: I(X;T) says ln {len(code)}, not what the layer holds",)
    found = information_of_codes(code, truth)
    i_x = Estimate(nats, settings=settings, warnings=warnings)
    return LayerInformation(i_x, replace(found, settings=settings, warnings=warnings))


def binned_information(
    x: Samples, y: Partners, bins: Bins | None = None, y_bins: Bins | None = None, *, miller_madow: bool = False
) -> Estimate:
    """I(X;Y) of X cut into bins, and of Y as it is or cut, too.

    Cutting loses information, counting finds some that is not there (see `discrete_information`): the estimate tends
    to I(X;Y) only as bins get narrow and samples a bin many, which holds in few dimensions.

    Args:
        x: Numbers, one row a sample.
        y: Labels, or numbers, row by row.
        bins: How x is cut; None: `LayerBounds()`.
        y_bins: How y is cut; None: equal rows of y are one label.
        miller_madow: Whether to correct the bias of counting.

    Returns:
        Nats, with the standard error of a sample.
    """
    bins = bins or LayerBounds()
    x_code = _code(x, bins, "x")
    y_code = _code(y, y_bins, "y") if y_bins else codes(y, "y")
    check_paired(x_code, y_code)
    found = information_of_codes(x_code, y_code, miller_madow=miller_madow)
    settings = {
        **found.settings, "estimator": "binning", "bins": described(bins), "y_bins": y_bins and described(y_bins)
    }  # fmt: skip
    return replace(found, settings=settings)


def described(bins: Bins) -> dict[str, Any]:
    """Name and settings of a way to bin, for the record."""
    return {"name": type(bins).__name__, **(asdict(bins) if is_dataclass(bins) and not isinstance(bins, type) else {})}


def _check_count(bins: int) -> None:
    if bins < 1:
        raise RequestError(f"{bins} bins: expected at least 1")


def _code(samples: Samples, bins: Bins, name: str) -> Int[np.ndarray, " N"]:
    return joint_code(*bins(numbers_of(samples, name)))
