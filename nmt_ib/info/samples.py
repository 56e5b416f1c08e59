"""Samples for estimators: numpy arrays, torch tensors or sequences in, checked matrices out."""

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
    """A matrix of values of any kind, including words.

    Args:
        samples: One row for each sample; a single axis is one column.
        name: Name of the samples in error messages.

    Returns:
        The samples as a matrix.

    Raises:
        RequestError: Rows differ in length, there are none, or some values are not finite.
    """
    if isinstance(samples, Tensor):
        samples = samples.detach().cpu()
        samples = samples.double() if samples.is_floating_point() else samples
    try:
        values = np.asarray(samples)
    except ValueError as error:
        raise RequestError(f"{name} holds rows of different lengths: expected an array") from error
    if values.ndim == 0:
        raise RequestError(f"{name} is a single {type(samples).__name__}: expected an array, one row for each sample")
    if values.size == 0:
        raise RequestError(f"{name} holds no values: expected one row for each sample, and at least one column")
    if np.issubdtype(values.dtype, np.inexact) and not np.isfinite(values).all():
        raise RequestError(f"{name} holds values that are not finite: leave those rows out")
    return values.reshape(len(values), -1)


def numbers_of(samples: Samples, name: str) -> Float[np.ndarray, "N W"]:
    """A float64 matrix of numbers.

    Args:
        samples: One row for each sample; a single axis is one column.
        name: Name of the samples in error messages.

    Returns:
        The samples as a matrix.

    Raises:
        RequestError: Values are not numbers, or see `values_of`.
    """
    values = values_of(samples, name)
    if values.dtype.kind not in "biuf":
        raise RequestError(f"{name} holds {values.dtype} where numbers are expected")
    return values.astype(np.float64)


def tensor_of(samples: Samples, name: str) -> Float[Tensor, "N W"]:
    """A float64 tensor of numbers, on the device of the samples.

    Args:
        samples: One row for each sample; a single axis is one column.
        name: Name of the samples in error messages.

    Returns:
        The samples as a matrix.
    """
    numbers = torch.as_tensor(numbers_of(samples, name))
    return numbers.to(samples.device) if isinstance(samples, Tensor) else numbers


def of_order_one(values: Float[np.ndarray, "N W"]) -> Float[np.ndarray, "N W"]:
    """Columns scaled so that their squares neither overflow nor underflow.

    Args:
        values: Finite numbers.

    Returns:
        Each column divided by the next power of two above its largest absolute value, which is exact.
    """
    return np.ldexp(values, -np.frexp(np.abs(values).max(0))[1])


def check_paired(x: Samples, y: Partners) -> None:
    """Checks that x and y have the same number of rows.

    Args:
        x: One row for each sample.
        y: One row for each sample.

    Raises:
        RequestError: The numbers of rows differ.
    """
    if len(x) != len(y):
        raise RequestError(f"x has {len(x)} rows and y {len(y)}: expected the same number")
