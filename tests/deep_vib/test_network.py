"""The network and its objectives against closed forms, torch.distributions and loops."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import cross_entropy

from nmt_ib.deep_vib.network import (
    OBJECTIVES,
    BottleneckClassifier,
    cross_entropy_nats,
    log_mean_probability,
    objective_nats,
    rate_nats,
)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(1)


@pytest.fixture
def pixels(generator):
    return torch.rand(7, 16, dtype=torch.float64, generator=generator)


LABELS = torch.tensor([0, 1, 2, 3, 0, 1, 2])


def tiny(generator, **settings):
    return BottleneckClassifier(3, pixels=16, hidden=8, classes=4, generator=generator, **settings).double()


def test_the_rate_is_that_of_torch_distributions(generator, pixels):
    mean, std = tiny(generator).code(pixels)
    expected = kl_divergence(Normal(mean, std), Normal(torch.zeros(()).double(), 1.0)).sum(-1)
    torch.testing.assert_close(rate_nats(mean, std), expected)
    assert (rate_nats(mean, std) >= 0).all()


def test_the_code_of_the_prior_is_free():
    assert rate_nats(torch.zeros(2, 3), torch.ones(2, 3)).tolist() == [0, 0]


def test_the_encoder_is_the_published_one(generator, pixels):
    network = tiny(generator)
    state = 2 * pixels - 1
    for layer in network.hidden:
        state = torch.relu(state @ layer.weight.T + layer.bias)
    head = state @ network.head.weight.T + network.head.bias
    mean, std = network.code(pixels)
    torch.testing.assert_close(mean, head[:, :3])
    torch.testing.assert_close(std, torch.log1p(torch.exp(head[:, 3:] - 5)))


def test_first_weights_are_xavier(generator):
    network = BottleneckClassifier(256, generator=generator)
    shapes = [(1024, 784), (1024, 1024), (512, 1024), (10, 256)]
    layers = [*network.hidden, network.head, network.decoder]
    assert [tuple(layer.weight.shape) for layer in layers] == shapes
    for layer, (out, into) in zip(layers, shapes, strict=True):
        bound = (6 / (into + out)) ** 0.5
        assert 0.99 * bound < layer.weight.abs().max() <= bound
        assert not layer.bias.any()


def test_the_mixture_is_the_mean_of_probabilities(generator, pixels):
    network = tiny(generator)
    noise = network.noise(12, len(pixels), generator)
    assert noise.dtype == torch.float64
    expected = torch.zeros(7, 4, dtype=torch.float64)
    for sample in noise:
        mean, std = network.code(pixels)
        expected += network.decoder(mean + std * sample).softmax(-1) / 12
    torch.testing.assert_close(log_mean_probability(network(pixels, noise)).exp(), expected)


def test_one_sample_is_its_own_mixture(generator, pixels):
    network = tiny(generator)
    torch.testing.assert_close(log_mean_probability(network(pixels)), network(pixels)[0])


def test_without_spread_the_bottleneck_is_deterministic(generator, pixels):
    noisy, plain = tiny(generator), tiny(generator, noisy=False)
    with torch.no_grad():
        for ours, theirs in zip([*plain.hidden, plain.decoder], [*noisy.hidden, noisy.decoder], strict=True):
            ours.load_state_dict(theirs.state_dict())
        plain.head.weight.copy_(noisy.head.weight[:3])
        noisy.head.weight[3:] = 0
        noisy.head.bias[3:] = -60  # softplus(-65) is 6e-29
    terms = [
        objective_nats(name, network, pixels, LABELS, generator)
        for name, network in (("bottleneck", noisy), ("deterministic", plain))
    ]
    torch.testing.assert_close(terms[0][0], terms[1][0])  # with beta = 0 this is the whole loss
    assert terms[1][1] == 0
    mean, std = plain.code(pixels)
    assert not std.any()
    assert terms[0][1] > 3 * 60  # ... and the code without noise would cost ever more


def test_label_smoothing_is_that_of_torch(generator, pixels):
    network = tiny(generator, noisy=False)
    answer, penalty = objective_nats("label smoothing", network, pixels, LABELS, generator)
    logits = network.decoder(network.code(pixels)[0])
    torch.testing.assert_close(answer + 0.1 * penalty, cross_entropy(logits, LABELS, label_smoothing=0.1))
    torch.testing.assert_close(answer, cross_entropy(logits, LABELS))


def test_the_confidence_penalty_is_the_negative_entropy(generator, pixels):
    network = tiny(generator, noisy=False)
    _, penalty = objective_nats("confidence penalty", network, pixels, LABELS, generator)
    logits = network.decoder(network.code(pixels)[0])
    torch.testing.assert_close(penalty, -torch.distributions.Categorical(logits=logits).entropy().mean())


def test_dropout_keeps_the_mean_and_is_off_in_evaluation(generator, pixels):
    network = tiny(generator, noisy=False, dropout=0.5)
    with torch.no_grad():
        network.hidden[1].weight.copy_(torch.eye(8))  # so that the second layer stays positive, hence linear
        drawn = torch.stack([network.code(pixels, generator)[0] for _ in range(4000)])
        expected = network.code(pixels)[0]
    error = drawn.std(0) / 4000**0.5
    assert ((drawn.mean(0) - expected).abs() < 4.5 * error).all()
    assert torch.equal(network.code(pixels)[0], expected)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_reaches_every_weight(generator, pixels, objective):
    network = tiny(generator, noisy=objective == "bottleneck")
    answer, penalty = objective_nats(objective, network, pixels, LABELS, generator)
    (answer + 0.1 * penalty).backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


def test_the_answer_is_the_cross_entropy(generator):
    logits = torch.randn(7, 4, generator=generator)
    torch.testing.assert_close(cross_entropy_nats(logits.log_softmax(-1), LABELS), cross_entropy(logits, LABELS))
