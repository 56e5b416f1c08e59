"""Bits and fields of tolerated noise, by hand."""

import math

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.tolerated_noise import ToleratedNoise, capacity_bits, discarded_bits, tolerated_noise_fields

SPREAD = torch.tensor([1.0, 2.0]).double()


def test_bits_of_no_small_and_infinite_noise():
    sigma = torch.tensor([0.0, 1.0, 1e9]).double()
    assert_close(capacity_bits(sigma, SPREAD), torch.tensor([0.0, 0.5 * math.log2(10), 0.0]).double())
    assert_close(discarded_bits(sigma, SPREAD), torch.tensor([0.0, 0.0, 2 * math.log2(1e9) - 1]).double())


def test_a_state_as_a_whole_by_hand():
    found = tolerated_noise_fields([ToleratedNoise(torch.tensor([0.0, 1.0, 8.0]).double(), None, 0.2, 0.5)], SPREAD)
    bits = torch.tensor([0.0, 0.5 * math.log2(2 * 5), 0.5 * math.log2((1 + 1 / 64) * (1 + 4 / 64))]).double()
    for name in ("bits", "scores"):
        assert_close(found.pop(name), bits)
    assert_close(found.pop("sigma"), torch.tensor([0.0, 1.0, 8.0]).double())
    details = {"change": 0.2, "discarded_bits": pytest.approx(3 + 2), "outside_cloud": 0.5}
    assert found == {"converged": False, "details": details}


def test_each_position_by_hand():
    # Two positions of a translation: the second holds most of both pieces, and has read the first token.
    sigma, prefix = torch.tensor([[8.0, 4.0], [2.0, 1.0]]).double(), torch.tensor([[0.0, 0.0], [0.0, 1.0]]).double()
    found = tolerated_noise_fields(
        [ToleratedNoise(sigma[place], prefix[place], change, 0.0) for place, change in enumerate((0.01, 0.05))], SPREAD
    )
    bits = capacity_bits(sigma, SPREAD)
    assert_close(found["matrix"], bits.T)
    assert_close(found["scores"], bits[1])
    assert_close(found["sigma"], sigma[1])
    assert found["converged"]
    assert found["details"] == {"change": 0.05, "discarded_bits": pytest.approx(0.0 + 1.0)}
    assert_close(found["prefix_matrix"], torch.tensor([[0.0, 0.5 * math.log2(10)], [0.0, 0.0]]).double())
