"""Bootstrap intervals of ratios over a corpus."""

import pytest
import torch

from nmt_ib.faithfulness.intervals import ratio


def test_a_ratio_of_sums_lies_in_its_interval():
    found = ratio([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 4.0, 12.0])
    assert found.value == pytest.approx(0.5)
    assert found.interval[0] < 0.5 < found.interval[1]
    same = ratio([1.0] * 9, [4.0] * 9)
    assert (same.value, *same.interval) == (0.25, 0.25, 0.25)


def test_the_interval_of_a_mean_has_the_normal_width():
    drawn = torch.randn(400, generator=torch.Generator().manual_seed(0)).tolist()
    found = ratio(drawn, [1.0] * 400)
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 / 400**0.5, rel=0.15)


def test_an_undefined_ratio_is_nan():
    found = ratio([1.0, 1.0], [0.0, -1.0])
    assert found.value != found.value
    assert found.interval[0] != found.interval[0]
