"""Noise gates: their information against the divergence of two Gaussians, and what they let through."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from nmt_ib.attribution.gate import OPEN, Channel, gate_nats
from nmt_ib.attribution.statistics import LayerStatistics


@pytest.mark.parametrize("alpha", [-9.0, -1.0, 0.0, 2.0, 5.0, 12.0])
def test_the_information_is_the_divergence(alpha):
    states = torch.linspace(-4, 4, 7, dtype=torch.float64)
    mean, std = torch.tensor(0.3).double(), torch.tensor(1.7).double()
    through = torch.tensor(alpha).double().sigmoid()
    passed = Normal(through * states + (1 - through) * mean, (1 - through) * std)
    expected = kl_divergence(passed, Normal(mean, std)).sum()
    found = gate_nats(torch.tensor([alpha]).double(), (states - mean) / std)
    assert_close(found, expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("alpha", [-3.0, 0.0, 1.0, 5.0])
def test_the_mean_information_over_the_prior_has_a_closed_form_above_the_gaussian_channel(alpha):
    # Gauss-Hermite quadrature of r ~ N(0, 1): exact, as the divergence is a polynomial of degree 2 in r.
    points, weights = torch.tensor([[-(3**0.5), 0.0, 3**0.5], [1 / 6, 2 / 3, 1 / 6]], dtype=torch.float64)
    gate, through = torch.tensor([alpha]).double(), 1 / (1 + math.exp(-alpha))
    mean = (gate_nats(gate.expand(3, 1), points[:, None]) * weights).sum().item()
    assert mean == pytest.approx(-math.log(1 - through) - through * (1 - through), abs=1e-12)
    assert mean >= 0.5 * math.log(1 + (through / (1 - through)) ** 2)


@pytest.mark.parametrize("alpha", [-100.0, -30.0, 30.0, 100.0, 1000.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_overflows_at_an_extreme_gate(alpha, dtype):
    gate = torch.tensor([[alpha]], dtype=dtype, requires_grad=True)
    nats = gate_nats(gate, torch.tensor([[0.0, 3.0, -50.0]], dtype=dtype))
    (slope,) = torch.autograd.grad(nats.sum(), gate)
    assert nats.isfinite().all()
    assert slope.isfinite().all()
    assert nats > -1e-12
    assert alpha < 0 or float(nats.detach()) == pytest.approx(3 * (alpha - 0.5) + 2509 / 2, rel=1e-5)


def test_open_closed_and_missing_gates():
    states = torch.randn(1, 3, 2, generator=torch.Generator().manual_seed(0)).double()
    prior = LayerStatistics(torch.tensor([1.0, -2.0]).double(), torch.tensor([0.5, 3.0]).double(), 0)
    channel = Channel(states, prior, torch.tensor([[-1, 0, 1]]))
    noise = torch.tensor([[[[7.0, 7.0], [1.0, -1.0], [0.0, 2.0]]]]).double()
    output = channel.output(torch.tensor([[[40.0], [-40.0]]]).double(), noise)
    expected = torch.stack([states[0, 0], states[0, 1], prior.mean + prior.std * noise[0, 0, 2]])
    assert_close(output[0, 0], expected)
    assert channel.nats(torch.zeros(1, 2, 1).double())[0, 0] == 0


@pytest.mark.parametrize("per_dimension", [True, False])
def test_open_gates_let_nearly_everything_through(per_dimension):
    states = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)).double()
    prior = LayerStatistics(torch.zeros(4).double(), torch.ones(4).double(), 0)
    channel = Channel(states, prior, torch.tensor([[0, 0, 1], [-1, 0, -1]]))
    alpha = channel.open_gates(per_dimension)
    assert alpha.shape == (2, 2, 4 if per_dimension else 1)
    assert (alpha == OPEN).all()
    output = channel.output(alpha, torch.zeros(2, 1, 3, 4).double())[:, 0]
    assert_close(output, states * torch.where(channel.gate_index >= 0, 1 / (1 + math.exp(-OPEN)), 1.0)[..., None])


def test_pieces_of_a_word_share_its_gate():
    states = torch.ones(1, 3, 2).double()
    prior = LayerStatistics(torch.zeros(2).double(), torch.ones(2).double(), 0)
    channel = Channel(states, prior, torch.tensor([[0, 0, 1]]))
    nats = channel.nats(torch.tensor([[[1.0], [-1.0]]]).double())[0]
    assert nats[0] == nats[1] > nats[2] > 0
