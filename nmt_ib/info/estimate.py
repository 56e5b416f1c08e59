"""What an estimator of information returns."""

from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, eq=False)
class Estimate(float):
    """Information in nats: a number, with what it takes to judge it.

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

    def __new__(cls, nats: float, *_: Any, **__: Any) -> "Estimate":
        """The number itself."""
        return super().__new__(cls, nats)


class LayerInformation(NamedTuple):
    """A layer T in the information plane of inputs X and labels Y.

    Attributes:
        i_x: I(X;T).
        i_y: I(T;Y).
    """

    i_x: Estimate
    i_y: Estimate
