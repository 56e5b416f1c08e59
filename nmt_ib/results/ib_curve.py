"""The optimal curve of the information bottleneck, and representations against it."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nmt_ib.results.result import Result

if TYPE_CHECKING:
    import pandas

IB, DIB, GAUSSIAN = "ib", "dib", "gaussian"
SAME_BITS = 1e-6  # points of the curve that are nearer are one
ABOVE_BITS = 1e-3  # so far straight lines between points may be off


@dataclass(frozen=True)
class IBPoint:
    """The best encoder for one price of ignorance.

    Attributes:
        beta: I(X;T) - beta I(T;Y) is minimal; H(T) - beta I(T;Y) for the deterministic bottleneck.
        i_x_bits: I(X;T), the rate.
        i_y_bits: I(T;Y).
        distortion_bits: I(X;Y) - I(T;Y), what T lacks: with the rate, the distortion-rate plane.
        clusters: Number of clusters that differ; None where T is continuous.
        i_x_error_bits: By how much at most I(X;T) is off, where the table was counted from a sample; None: the table
            is taken for the truth.
        i_y_error_bits: The same for I(T;Y).
    """

    beta: float
    i_x_bits: float
    i_y_bits: float
    distortion_bits: float
    clusters: int | None = None
    i_x_error_bits: float | None = None
    i_y_error_bits: float | None = None


@dataclass(frozen=True)
class LayerFit:
    """A representation against the curve.

    Attributes:
        name: What it is called.
        i_x_bits: Its I(X;T).
        i_y_bits: Its I(T;Y).
        beta: Of the nearest point of the curve; between two points the inverse slope; None at the curve's end, where
            every large beta fits.
        distance_bits: Distance to that point.
        below_bits: What the curve has more of I(T;Y) at the same I(X;T); below 0: the layer lies above it.
    """

    name: str
    i_x_bits: float
    i_y_bits: float
    beta: float | None
    distance_bits: float
    below_bits: float


@dataclass(frozen=True)
class IBCurve(Result):
    """The largest I(T;Y) of any T for its I(X;T).

    Attributes:
        points: By rising beta.
        critical_betas: Where the optimum gets more clusters, or more dimensions; see `ib_curve`.
        i_xy_bits: I(X;Y), which no T exceeds.
        end_x_bits: The I(X;T) that it takes to reach I(X;Y); None: it takes infinitely much.
        method: "ib", "dib" or "gaussian".
        deterministic: Whether Y is a function of X.
        notes: What a reader has to know, in words.
        layers: Representations compared with it.
        signature: What produced it; see `RunSignature`.
    """

    points: tuple[IBPoint, ...]
    critical_betas: tuple[float, ...]
    i_xy_bits: float
    end_x_bits: float | None
    method: str = IB
    deterministic: bool = False
    notes: tuple[str, ...] = ()
    layers: tuple[LayerFit, ...] = ()
    signature: dict[str, Any] = field(default_factory=dict)

    @property
    def corners(self) -> tuple[tuple[float, float, float | None], ...]:
        """I(X;T), I(T;Y) and beta along the curve, from (0, 0) to its end; straight lines join them."""
        first = self.critical_betas[0] if self.critical_betas else None
        corners: list[tuple[float, float, float | None]] = [(0.0, 0.0, first)]
        end = math.inf if self.end_x_bits is None else self.end_x_bits
        for point in self.points:
            if corners[-1][0] + SAME_BITS < point.i_x_bits < end - SAME_BITS:
                corners.append((point.i_x_bits, point.i_y_bits, point.beta))
        if SAME_BITS < end < math.inf:
            corners.append((end, self.i_xy_bits, None))
        return tuple(corners)

    def i_y_bits_at(self, i_x_bits: float) -> float:
        """The curve between its points, where straight lines join them: a little below the truth, never above.

        Args:
            i_x_bits: I(X;T), >= 0.

        Returns:
            The most of I(T;Y) that is known to be possible.
        """
        corners = self.corners
        for (x, y, _), (next_x, next_y, _) in zip(corners, corners[1:], strict=False):
            if i_x_bits <= next_x:
                return y + (next_y - y) * (i_x_bits - x) / (next_x - x)
        return corners[-1][1]

    def fit(self, name: str, i_x_bits: float, i_y_bits: float) -> LayerFit:
        """A representation against the curve.

        Args:
            name: What it is called.
            i_x_bits: Its I(X;T).
            i_y_bits: Its I(T;Y).

        Returns:
            The beta that fits it, and how far it is below.
        """
        corners = self.corners
        near = [(math.hypot(i_x_bits - x, i_y_bits - y), beta) for x, y, beta in corners]
        for (x, y, _), (next_x, next_y, _) in zip(corners, corners[1:], strict=False):
            along_x, along_y = next_x - x, next_y - y
            share = ((i_x_bits - x) * along_x + (i_y_bits - y) * along_y) / (along_x**2 + along_y**2)
            if 0 < share < 1 and along_y > 0:
                away = math.hypot(i_x_bits - x - share * along_x, i_y_bits - y - share * along_y)
                near.append((away, along_x / along_y))
        distance, beta = min(near, key=lambda found: found[0])
        return LayerFit(name, i_x_bits, i_y_bits, beta, distance, self.i_y_bits_at(i_x_bits) - i_y_bits)

    def against(self, named: Sequence[tuple[str, float, float]]) -> "IBCurve":
        """The curve with representations held against it.

        Args:
            named: Name, I(X;T) and I(T;Y) in bits.

        Returns:
            A curve whose notes name those that lie above it.
        """
        layers = tuple(self.fit(*one) for one in named)
        notes = tuple(
            f"{layer.name} lies above the curve by {-layer.below_bits:.3f} bits, where no T can be: its estimates are "
            "off, or the curve needs more points there"
            for layer in layers
            if layer.below_bits < -ABOVE_BITS
        )
        return replace(self, layers=layers, notes=self.notes + notes)

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a point."""
        import pandas

        return pandas.DataFrame([asdict(point) for point in self.points])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)
