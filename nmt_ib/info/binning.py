"""Information of a layer whose activations are binned: the estimator of Shwartz-Ziv & Tishby and of Saxe et al."""

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
SATURATED = 0.9  # share of ln N from which on nearly every input has its own code

Binned = tuple[Int[np.ndarray, "N D"], Sequence[int]]


@runtime_checkable
class Bins(Protocol):
    """A binning of the units of a layer."""

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value, from 0, and the number of bins of each unit."""
        ...


@dataclass(frozen=True)
class FixedEdges:
    """The same bin edges for every unit; values beyond them fall into two more bins.

    Attributes:
        edges: Increasing edges. By default those of Shwartz-Ziv & Tishby (2017): 30 from -1 to 1, for tanh.
    """

    edges: tuple[float, ...] = SZT_EDGES

    def __post_init__(self) -> None:
        if not self.edges or (np.diff(self.edges) <= 0).any():
            raise RequestError("bin edges do not increase: expected at least one, each above the one before")

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value; an edge belongs to the bin above it."""
        return np.digitize(layer, self.edges), [len(self.edges) + 1] * layer.shape[1]


@dataclass(frozen=True)
class FixedWidth:
    """Unbounded bins of equal width, with edges at its multiples.

    Attributes:
        width: Width of a bin. By default that of Saxe et al. (2018) for small networks; theirs for MNIST is 0.5.
    """

    width: float = 0.07

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise RequestError(f"the width of bins is {self.width:g}: expected a number above 0")

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value.

        Raises:
            RequestError: A unit needs too many bins.
        """
        bins = np.floor(layer / self.width)
        bins -= bins.min(0)
        if not bins.max() < MAX_BINS:
            raise RequestError(f"a unit spreads over {bins.max():.1e} bins of width {self.width:g}: use wider bins")
        numbers = bins.astype(np.int64)
        return numbers, [int(maximum) + 1 for maximum in numbers.max(0)]


@dataclass(frozen=True)
class LayerBounds:
    """Bins of equal width between the minimum and the maximum of the layer.

    Attributes:
        bins: Number of bins.
    """

    bins: int = 30

    def __post_init__(self) -> None:
        _check_count(self.bins)

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value; a constant layer has a single one."""
        low, span = layer.min(), np.ptp(layer)
        share = (layer - low) / (span if span > 0 else 1.0)
        return np.minimum((share * self.bins).astype(np.int64), self.bins - 1), [self.bins] * layer.shape[1]


@dataclass(frozen=True)
class EqualCounts:
    """Quantile bins with equally many samples, separate for each unit; equal values share a bin.

    Attributes:
        bins: Number of bins.
    """

    bins: int = 30

    def __post_init__(self) -> None:
        _check_count(self.bins)

    def __call__(self, layer: Float[np.ndarray, "N D"]) -> Binned:
        """The bin of each value."""
        edges = np.quantile(layer, np.arange(1, self.bins) / self.bins, axis=0)
        columns = [np.digitize(unit, unit_edges) for unit, unit_edges in zip(layer.T, edges.T, strict=True)]
        return np.stack(columns, 1), [self.bins] * layer.shape[1]


def binned_layer(layer: Samples, labels: Partners, bins: Bins | None = None) -> LayerInformation:
    """I(X;T) and I(T;Y) of a deterministic layer after binning, where I(X;T) = H(T).

    Both are properties of the binned layer, not of the layer itself: no bin width is the right one, and narrow bins
    distinguish all inputs, whatever the layer computes. I(X;T) is exact if the inputs are the whole population;
    I(T;Y) of a sample is too high by about (codes - 1)(labels - 1) / 2 N.

    Args:
        layer: Activations, one row for each input; no two inputs are equal.
        labels: One row for each input.
        bins: Binning of the units; None: `FixedEdges()`.

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
        warnings = (
            f"nearly every input has its own code: I(X;T) is close to ln {len(code)} whatever the layer computes",
        )
    found = information_of_codes(code, truth)
    i_x = Estimate(nats, settings=settings, warnings=warnings)
    return LayerInformation(i_x, replace(found, settings=settings, warnings=warnings))


def binned_information(
    x: Samples, y: Partners, bins: Bins | None = None, y_bins: Bins | None = None, *, miller_madow: bool = False
) -> Estimate:
    """I(X;Y) of binned X, and of Y as it is or binned, too.

    Binning loses information, counting overestimates it (see `discrete_information`): the estimate converges to I(X;Y)
    only if bins are narrow and hold many samples each, which is possible in few dimensions.

    Args:
        x: Numbers, one row for each sample.
        y: Labels or numbers, in the same order.
        bins: Binning of x; None: `LayerBounds()`.
        y_bins: Binning of y; None: each distinct row of y is a label.
        miller_madow: Whether to correct the bias of counting.

    Returns:
        Nats, with the standard error due to sampling.
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
    """Name and settings of a binning, for signatures and settings."""
    return {"name": type(bins).__name__, **(asdict(bins) if is_dataclass(bins) and not isinstance(bins, type) else {})}


def _check_count(bins: int) -> None:
    if bins < 1:
        raise RequestError(f"the number of bins is {bins}: expected at least 1")


def _code(samples: Samples, bins: Bins, name: str) -> Int[np.ndarray, " N"]:
    return joint_code(*bins(numbers_of(samples, name)))
