"""Samples as estimators read them: numpy or torch in, checked rows out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from nmt_ib.errors import RequestError

Samples = Shaped[np.ndarray, "N ..."] | Shaped[Tensor, "N ..."] | Sequence[Any]
Partners = Shaped[np.ndarray, "M ..."] | Shaped[Tensor, "M ..."] | Sequence[Any]


def values_of(samples: Samples, name: str) -> Shaped[np.ndarray, "N W"]:
    """Rows of values of any kind, words included.

    Args:
        samples: One row each; a single axis is one column.
        name: What a message calls them.

    Returns:
        The same as a matrix.

    Raises:
        RequestError: They are no rows of one length, there are none, or some are not finite.
    """
    if isinstance(samples, Tensor):
        samples = samples.detach().cpu()
        samples = samples.double() if samples.is_floating_point() else samples
    try:
        values = np.asarray(samples)
    except ValueError as error:
        raise RequestError(f"{name} holds rows of different lengths: expected an array, one row a sample") from error
    if values.ndim == 0:
        raise RequestError(f"{name} is a single {type(samples).__name__}: expected an array, one row a sample")
    if values.size == 0:
        raise RequestError(f"{name} holds no values: expected one row a sample, one column or more")
    if np.issubdtype(values.dtype, np.inexact) and not np.isfinite(values).all():
        raise RequestError(f"{name} holds values that are not finite: leave those rows out")
    return values.reshape(len(values), -1)


def numbers_of(samples: Samples, name: str) -> Float[np.ndarray, "N W"]:
    """Rows of numbers in float64.

    Args:
        samples: One row each; a single axis is one column.
        name: What a message calls them.

    Returns:
        The same as a matrix.

    Raises:
        RequestError: They are no numbers, or see `values_of`.
    """
    values = values_of(samples, name)
    if values.dtype.kind not in "biuf":
        raise RequestError(f"{name} holds {values.dtype} where numbers are expected")
    return values.astype(np.float64)


def tensor_of(samples: Samples, name: str) -> Float[Tensor, "N W"]:
    """Rows of numbers in float64, on the device where they are.

    Args:
        samples: One row each; a single axis is one column.
        name: What a message calls them.

    Returns:
        The same as a matrix.
    """
    numbers = torch.as_tensor(numbers_of(samples, name))
    return numbers.to(samples.device) if isinstance(samples, Tensor) else numbers


def of_order_one(values: Float[np.ndarray, "N W"]) -> Float[np.ndarray, "N W"]:
    """Columns whose squares neither overflow nor vanish.

    Args:
        values: Finite numbers.

    Returns:
        Each column over the power of two next above its largest absolute value, which rounds nothing.
    """
    return np.ldexp(values, -np.frexp(np.abs(values).max(0))[1])


def check_paired(x: Samples, y: Partners) -> None:
    """Sees to it that rows of x and y belong together.

    Args:
        x: One row a sample.
        y: One row a sample.

    Raises:
        RequestError: Their numbers differ.
    """
    if len(x) != len(y):
        raise RequestError(f"x has {len(x)} rows and y {len(y)}: they belong together")
