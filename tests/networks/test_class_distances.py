"""Distances within and between classes against all pairs."""

import pytest
import torch

from nmt_ib.networks.class_distances import class_distances


@pytest.mark.parametrize("step", [1, 2])
def test_distances_are_those_of_all_pairs(step):
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(3, 20, generator=generator, dtype=torch.float64)
    labels = step * (torch.arange(20) % 3)  # with a step of 2, classes 1 and 3 are empty
    squares = torch.cdist(states.T, states.T) ** 2
    same = labels[:, None] == labels
    expected = [float(squares[where].mean().sqrt()) for where in (same, ~same)]
    assert class_distances(states, labels) == pytest.approx(expected)
