"""What an estimator of information returns."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """Information in nats, with what it takes to judge it.

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
