"""What an estimator of information returns."""

from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Estimate:
    """Information in nats, with what it takes to judge it; `float(estimate)` is the nats.

    Attributes:
        nats: The estimate; may be below 0 where the estimator's error allows that.
        settings: What made it.
        error_nats: Its standard error or its bound, as the estimator says; None where it has none.
        warnings: What a reader has to know, in words.
    """

    nats: float
    settings: dict[str, Any]
    error_nats: float | None = None
    warnings: tuple[str, ...] = ()

    def __float__(self) -> float:
        return self.nats


class LayerInformation(NamedTuple):
    """A layer T in the information plane of inputs X and labels Y.

    Attributes:
        i_x: I(X;T).
        i_y: I(T;Y).
    """

    i_x: Estimate
    i_y: Estimate
