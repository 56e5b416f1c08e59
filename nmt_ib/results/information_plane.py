"""Layers in the information plane while networks learn."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from nmt_ib.results.result import Result

if TYPE_CHECKING:
    import pandas

WHOLE, RELEVANT, IRRELEVANT = "whole", "relevant", "irrelevant"
EXACT = "exact"
ROUNDING_BITS = 5e-4  # rises below are not seen in a table
OWN_NOISE = "noise is added to each layer on its own, and such layers are no Markov chain"
OWN_BINS = "no Markov chain does that, so the estimate is off, or its noise or bins are each layer's own"


@dataclass(frozen=True)
class PlanePoint:
    """One layer of one network after one epoch.

    Attributes:
        seed: Of the network.
        epoch: Epochs of training before; 0: before the first step.
        layer: 1 for the first hidden layer; the last is the output.
        estimator: What estimated the information: "binning", "kde-upper", "kde-lower", "sp" or "exact".
        i_x_bits: I(X;T), or what T knows of a part of the input.
        i_y_bits: I(T;Y).
        train_accuracy: Share of right answers on what it learned from; where Y is a number, the share of its variance
            that the output explains, which may be below 0.
        test_accuracy: The same on what it did not.
        input_part: The part of the input that `i_x_bits` is about: "whole", "relevant" (to Y) or "irrelevant".
    """

    seed: int
    epoch: int
    layer: int
    estimator: str
    i_x_bits: float
    i_y_bits: float
    train_accuracy: float
    test_accuracy: float
    input_part: str = WHOLE


@dataclass(frozen=True)
class LayerGradient:
    """How far the steps of one epoch agree on a layer.

    Attributes:
        seed: Of the network.
        epoch: The epoch, from 1.
        layer: From 1.
        mean_norm: Euclidean length of the mean over the steps of the gradient.
        deviation_norm: Euclidean length of its standard deviation over the steps; 0 where an epoch is one step.
        weight_norm: Euclidean length of the layer's parameters after the epoch.
    """

    seed: int
    epoch: int
    layer: int
    mean_norm: float
    deviation_norm: float
    weight_norm: float

    @property
    def signal_to_noise(self) -> float | None:
        """Norm of the mean over norm of the standard deviation; None where the latter is 0."""
        return self.mean_norm / self.deviation_norm if self.deviation_norm else None


@dataclass(frozen=True)
class LayerClusters:
    """How far a layer's states come in clusters, one for each class.

    Attributes:
        seed: Of the network.
        epoch: As in `PlanePoint`.
        layer: From 1.
        within: Root mean squared distance of two states of one class.
        between: The same of two states of different classes.
        binned_entropy_bits: Entropy of the binned states (Goldfeld et al. 2019: what binning measures).
    """

    seed: int
    epoch: int
    layer: int
    within: float
    between: float
    binned_entropy_bits: float


@dataclass(frozen=True)
class Plane(Result, Sequence[PlanePoint]):
    """Layers of networks in the information plane: a sequence of points that shows itself in a notebook.

    Attributes:
        points: By seed, epoch and layer.
        gradients: Signal and noise of the gradients after each measured epoch.
        clusters: Of layers, where the experiment looks at them.
        h_x_bits: H(X), where X is one of finitely many; else None.
        i_xy_bits: I(X;Y), which no I(T;Y) exceeds.
        notes: Remarks for the reader.
        signature: What produced the points; see `RunSignature`.
    """

    points: tuple[PlanePoint, ...]
    gradients: tuple[LayerGradient, ...] = ()
    clusters: tuple[LayerClusters, ...] = ()
    h_x_bits: float | None = None
    i_xy_bits: float | None = None
    notes: tuple[str, ...] = ()
    signature: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of points."""
        return len(self.points)

    def __getitem__(self, index: Any) -> Any:
        """The point, or the slice of points."""
        return self.points[index]

    def path(self, layer: int, estimator: str, input_part: str = WHOLE) -> list[tuple[int, float, float]]:
        """A layer's way through the plane.

        Args:
            layer: From 1.
            estimator: As in `PlanePoint`.
            input_part: As in `PlanePoint`.

        Returns:
            Epoch, I(X;T) and I(T;Y) in bits, means over seeds, by rising epoch.
        """
        wanted = (layer, estimator, input_part)
        by_epoch: dict[int, list[PlanePoint]] = {}
        for point in self.points:
            if (point.layer, point.estimator, point.input_part) == wanted:
                by_epoch.setdefault(point.epoch, []).append(point)
        return [
            (epoch, _mean([p.i_x_bits for p in points]), _mean([p.i_y_bits for p in points]))
            for epoch, points in sorted(by_epoch.items())
        ]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where a later layer is said to know more than an earlier one: against the data-processing inequality.

        Of each estimator, and of X and of Y, the largest rise of the mean over networks that exceeds the standard
        deviation of the rise over them.
        """
        warnings = []
        for estimator, part in dict.fromkeys((point.estimator, point.input_part) for point in self.points):
            mine = [point for point in self.points if (point.estimator, point.input_part) == (estimator, part)]
            i_x = "I(X;T)" if part == WHOLE else f"I(X;T) of {part} inputs"
            for name, values in ((i_x, [p.i_x_bits for p in mine]), ("I(T;Y)", [p.i_y_bits for p in mine])):
                rise = _largest_rise([(p.epoch, p.layer) for p in mine], values)
                reason = OWN_NOISE if estimator == EXACT else OWN_BINS
                warnings += [f"{estimator}: {name} {rise}: {reason}."] if rise else []
        return tuple(dict.fromkeys(warnings))  # I(T;Y) is the same for all parts of the input

    @classmethod
    def joined(cls, planes: Sequence["Plane"]) -> "Plane":
        """The planes of different seeds as one.

        Args:
            planes: Of one experiment; at least one.

        Returns:
            All their rows, with what the first says of the task; I(X;Y) is the mean, as teachers may differ by seed.
        """
        informations = [plane.i_xy_bits for plane in planes if plane.i_xy_bits is not None]
        return replace(
            planes[0],
            points=tuple(row for plane in planes for row in plane.points),
            gradients=tuple(row for plane in planes for row in plane.gradients),
            clusters=tuple(row for plane in planes for row in plane.clusters),
            i_xy_bits=_mean(informations) if informations else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `warnings` can be derived from the points."""
        return {**super().to_dict(), "warnings": list(self.warnings)}

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a point."""
        import pandas

        return pandas.DataFrame([asdict(point) for point in self.points], columns=list(PlanePoint.__dataclass_fields__))

    def _repr_html_(self) -> str:
        """Each layer after the last epoch, mean over seeds."""
        frame = self.to_dataframe()
        last = frame[frame.epoch == frame.epoch.max()]
        keys = ["layer", "estimator", "input_part"]
        return last.groupby(keys).mean(numeric_only=True).drop(columns=["seed"]).reset_index().to_html(index=False)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _largest_rise(places: list[tuple[int, int]], bits: list[float]) -> str | None:
    """The largest rise from a layer to a later one, in words; places are epoch and layer."""
    by_epoch: dict[int, dict[int, list[float]]] = {}
    for (epoch, layer), value in zip(places, bits, strict=True):
        by_epoch.setdefault(epoch, {}).setdefault(layer, []).append(value)
    rises = []
    for epoch, layers in by_epoch.items():
        for earlier, later in combinations(sorted(layers), 2):
            rise = np.subtract(layers[later], layers[earlier])
            if rise.mean() > max(rise.std(), ROUNDING_BITS):
                rises.append((float(rise.mean()), earlier, later, epoch))
    if not rises:
        return None
    most, earlier, later, epoch = max(rises)
    return f"of layer {later} exceeds that of layer {earlier} by up to {most:.3f} bits (epoch {epoch})"
