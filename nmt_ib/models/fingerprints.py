"""Fingerprint of a model: a hash of its weights and of the settings that change its inputs."""

import hashlib

import torch
from torch import nn


def fingerprint_of(model: nn.Module, settings: tuple[object, ...] = ()) -> str:
    """First 16 hexadecimal digits of the SHA-256 of all weights and of the settings.

    Args:
        model: Any module.
        settings: Settings that change an input, hashed by their `repr`.

    Returns:
        The digits.
    """
    digest = hashlib.sha256(repr(settings).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]
