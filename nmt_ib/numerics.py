"""Bits and nats, and means over what a mask keeps."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

BITS_PER_NAT = 1 / math.log(2)


def masked_mean(values: Float[Tensor, "*axes"], mask: Bool[Tensor, "*axes"], dim: int = -1) -> Float[Tensor, "*kept"]:
    """Mean of `values` over `dim`, of the entries where `mask` is true; 0 where it keeps none.

    Args:
        values: Any real tensor.
        mask: Of the same shape; padding is false.
        dim: The axis to average over.

    Returns:
        One axis less than `values`, in the same unit.
    """
    kept = mask.to(values.dtype)
    return (values * kept).sum(dim) / kept.sum(dim).clamp(min=1)


def log_mean_exp(values: Float[Tensor, "*axes"], dim: int) -> Float[Tensor, "*kept"]:
    """Logarithm of the mean of `exp(values)` over `dim`, without overflow.

    Args:
        values: Log-quantities in nats.
        dim: The axis to average over.

    Returns:
        One axis less than `values`, in nats.
    """
    return torch.logsumexp(values, dim) - math.log(values.shape[dim])
