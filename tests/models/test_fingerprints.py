"""A fingerprint follows weights, their names and settings, and nothing else."""

import torch
from torch import nn

from nmt_ib.models.fingerprints import fingerprint_of


def linear(**changes):
    layer = nn.Linear(2, 3)
    state = {"weight": torch.arange(6.0).view(3, 2), "bias": torch.zeros(3)} | changes
    layer.load_state_dict(state)
    return layer


def test_it_is_sixteen_hexadecimal_digits():
    assert len(fingerprint_of(linear())) == 16
    assert int(fingerprint_of(linear()), 16) >= 0


def test_equal_weights_and_settings_have_the_same():
    layer = linear()
    layer.requires_grad_(False).train()
    assert fingerprint_of(layer, ("a", 1)) == fingerprint_of(linear(), ("a", 1))


def test_any_change_gives_another():
    weight = torch.arange(6.0).view(3, 2)
    others = [
        fingerprint_of(linear()),
        fingerprint_of(linear(), ("a",)),
        fingerprint_of(linear(), ("b",)),
        fingerprint_of(linear(bias=torch.tensor([0.0, 0.0, 1e-30]))),
        fingerprint_of(linear(weight=weight.flip(0))),
        fingerprint_of(linear().double()),
        fingerprint_of(nn.Sequential(linear())),
    ]
    assert len(set(others)) == len(others)
