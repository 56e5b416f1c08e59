"""Bits and nats."""

import math

import pytest

from nmt_ib.numerics import BITS_PER_NAT


def test_a_bit_is_ln_2_nats():
    assert math.log(2) * BITS_PER_NAT == pytest.approx(1)
