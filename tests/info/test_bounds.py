"""The bounds on a small matrix of scores, by hand."""

import math

import pytest
import torch

from nmt_ib.info.bounds import BOUNDS, donsker_varadhan, info_nce, jensen_shannon, nwj, smile

LN2, LN4 = math.log(2), math.log(4)
# Diagonal ln 4, ln 2: mean 1.5 ln 2. Shuffled pairs: exp is 1 and 2, mean 1.5.
SCORES = torch.tensor([[LN4, 0.0], [LN2, LN2]], dtype=torch.float64)


def test_by_hand():
    assert float(donsker_varadhan(SCORES)) == pytest.approx(1.5 * LN2 - math.log(1.5))
    assert float(nwj(SCORES)) == pytest.approx(1 + 1.5 * LN2 - 1.5)
    # Rows: 4 / ((4 + 1) / 2) and 2 / ((2 + 2) / 2).
    assert float(info_nce(SCORES)) == pytest.approx((math.log(8 / 5) + math.log(1)) / 2)
    assert float(smile(SCORES)) == pytest.approx(1.5 * LN2 - math.log(1.5))  # nothing to clip
    # sigma(ln 4) = 4/5, sigma(ln 2) = 2/3; shuffled pairs: sigma(-0) = 1/2, sigma(-ln 2) = 1/3.
    wanted = (math.log(4 / 5) + math.log(2 / 3) + math.log(1 / 2) + math.log(1 / 3)) / 2
    assert float(jensen_shannon(SCORES)) == pytest.approx(wanted)


def test_smile_clips_the_scores_of_shuffled_pairs_at_5_nats():
    scores = torch.tensor([[9.0, 30.0], [-30.0, 9.0]], dtype=torch.float64)
    assert float(smile(scores)) == pytest.approx(9 - math.log((math.exp(5) + math.exp(-5)) / 2))


@pytest.mark.parametrize("name", BOUNDS)
def test_constant_scores_give_zero(name):
    assert float(BOUNDS[name][0](torch.zeros(5, 5))) == pytest.approx(0, abs=1e-6)


def test_info_nce_is_at_most_the_logarithm_of_the_batch_size():
    assert float(info_nce(1e4 * torch.eye(64))) == pytest.approx(math.log(64))


@pytest.mark.parametrize("name", ["dv", "infonce"])
def test_an_added_constant_does_not_matter(name):
    assert float(BOUNDS[name][0](SCORES + 3)) == pytest.approx(float(BOUNDS[name][0](SCORES)))


def test_order_of_the_bounds():
    scores = torch.randn(50, 50, generator=torch.Generator().manual_seed(0))
    assert nwj(scores) <= donsker_varadhan(scores)  # ln u <= u - 1
