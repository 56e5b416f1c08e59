"""The objective: linear in its weights, warmup, free bits."""

import math

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.compression.objective import CompressionObjective
from nmt_ib.compression.tags import Tags
from nmt_ib.errors import RequestError

NLL = torch.tensor(2.0, dtype=torch.float64)
RATES = torch.tensor([0.5, 1.5, 4.0], dtype=torch.float64)
CONTEXT = torch.tensor([0.25, 0.0, 1.25], dtype=torch.float64)
TAGS = Tags(torch.zeros(1, 3, 2, dtype=torch.float64), RATES, CONTEXT)


def test_is_linear_in_both_weights():
    for beta, gamma in ((0.0, 0.0), (0.3, 0.0), (0.0, 2.0), (0.3, 2.0)):
        assert float(CompressionObjective(beta, gamma)(NLL, TAGS)) == pytest.approx(2 + beta * 2 + gamma * 0.5)


def test_weights_rise_from_0_during_warmup():
    objective = CompressionObjective(0.3, 2.0, warmup=0.5)
    for progress, share in ((0.0, 0), (0.1, 0.2), (0.25, 0.5), (0.5, 1), (1.0, 1)):
        assert float(objective(NLL, TAGS, progress)) == pytest.approx(2 + share * 1.6)
    assert CompressionObjective(0.3, 2.0)(NLL, TAGS, 0.0) == objective(NLL, TAGS, 1.0)


def test_free_bits_are_per_word():
    objective = CompressionObjective(1.0, free_bits=1.0)
    nats = sum(max(0.0, float(rate) - math.log(2)) for rate in RATES) / 3
    assert float(objective(NLL, TAGS)) == pytest.approx(2 + nats)


def test_nan_rates_count_as_0():
    nothing = Tags(TAGS.values, torch.full_like(RATES, torch.nan), torch.zeros_like(RATES))
    values = NLL.clone().requires_grad_(True)
    loss = CompressionObjective(5.0, 5.0)(values, nothing)
    loss.backward()
    assert_close(loss.detach(), NLL)
    assert values.grad == 1


@pytest.mark.parametrize(
    "settings",
    [{"beta": -1.0}, {"beta": math.nan}, {"beta": math.inf}, {"gamma": -1.0}, {"free_bits": -1.0}, {"warmup": 1.5}],
    ids=str,
)
def test_wrong_settings(settings):
    with pytest.raises(RequestError, match="not 1.5" if "warmup" in settings else "at least 0"):
        CompressionObjective(**settings)
