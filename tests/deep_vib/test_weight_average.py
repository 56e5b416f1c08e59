"""The moving average of weights against its closed sum."""

import torch

from nmt_ib.deep_vib.weight_average import WeightAverage


def test_the_average_is_the_closed_sum():
    network = torch.nn.Linear(3, 2).double()
    average, decay, seen = WeightAverage(network, 0.9), 0.9, []
    generator = torch.Generator().manual_seed(0)
    for _ in range(30):
        with torch.no_grad():
            network.weight.copy_(torch.randn(2, 3, generator=generator))
        average.update_(network)
        seen.append(network.weight.detach().clone())
    shares = torch.tensor([decay ** (29 - i) for i in range(30)], dtype=torch.float64)
    expected = torch.einsum("i,ijk->jk", shares / shares.sum(), torch.stack(seen))
    torch.testing.assert_close(average.weights()["weight"], expected)
    torch.testing.assert_close(average.weights()["bias"], network.bias.detach())  # never changed


def test_the_start_does_not_count():
    network = torch.nn.Linear(3, 2)
    average = WeightAverage(network)
    with torch.no_grad():
        network.weight.add_(1)
    average.update_(network)
    torch.testing.assert_close(average.weights()["weight"], network.weight.detach())


def test_the_network_is_left_as_it_is():
    network = torch.nn.Linear(3, 2)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    average = WeightAverage(network)
    average.update_(network)
    average.update_(network)
    assert all(torch.equal(before[name], weight) for name, weight in network.state_dict().items())
