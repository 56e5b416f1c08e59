"""A number estimated from a sample, with its uncertainty."""

import math
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple

from nmt_ib.numerics import BITS_PER_NAT


@dataclass(frozen=True, eq=False)
class Estimate(float):
    """A number estimated from a sample; it is a float, so that it can be compared and calculated with.

    Attributes:
        value: The estimate; information may be below 0 where the estimator's error allows that.
        unit: "nats" for information, "" for what has no unit or that of its data.
        error: Standard error, or a bound on the error, as the estimator says; NaN if it has none.
        interval: Ends of the 95 % confidence interval; NaN if there is none.
        settings: Name and settings of the estimator.
        warnings: What a reader has to know, in words.
    """

    value: float
    _: KW_ONLY
    unit: str = "nats"
    error: float = math.nan
    interval: tuple[float, float] = (math.nan, math.nan)
    settings: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __new__(cls, value: float, *_: Any, **__: Any) -> "Estimate":
        """The number itself."""
        return super().__new__(cls, value)

    @property
    def nats(self) -> float:
        """Information in nats.

        Raises:
            AttributeError: The unit is not nats.
        """
        if self.unit != "nats":
            raise AttributeError(f"an estimate with unit {self.unit!r} has no value in nats")
        return self.value

    @property
    def bits(self) -> float:
        """Information in bits.

        Raises:
            AttributeError: The unit is not nats.
        """
        return self.nats * BITS_PER_NAT


class LayerInformation(NamedTuple):
    """A layer T in the information plane of inputs X and labels Y.

    Attributes:
        i_x: I(X;T).
        i_y: I(T;Y).
    """

    i_x: Estimate
    i_y: Estimate
