"""Networks in a batch do what they do alone, and their gradients are those of autograd."""

import pytest
import torch
from torch import nn

from nmt_ib.errors import RequestError
from nmt_ib.networks.batched import BatchedNetworks, NetworkTraining

WIDTHS = (6, 5, 4, 3)
TRAININGS = {
    "tanh": NetworkTraining(WIDTHS, batch_size=8, learning_rate=0.01),
    "relu": NetworkTraining(WIDTHS, activation="relu", optimizer="sgd", learning_rate=0.1, batch_size=8),
    "linear": NetworkTraining(WIDTHS, activation="linear", output="linear", optimizer="sgd", batch_size=None),
    "noisy": NetworkTraining(WIDTHS, noise=0.3, batch_size=8),
    "orthonormal": NetworkTraining(WIDTHS, orthonormality=0.1, batch_size=8),
}


@pytest.fixture(params=TRAININGS)
def training(request):
    return TRAININGS[request.param]


def examples(networks, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(networks, 30, 6, generator=generator, dtype=torch.float64)
    targets = torch.randn(networks, 30, 3, generator=generator, dtype=torch.float64).softmax(-1)
    return inputs, targets, torch.arange(20).expand(networks, -1)


def module_of(networks, row):
    """The same network as an ordinary module."""
    layers = []
    for weight, bias in zip(networks.weights, networks.biases, strict=True):
        layer = nn.Linear(weight.shape[2], weight.shape[1], dtype=torch.float64)
        layer.weight.data, layer.bias.data = weight[row].clone(), bias[row, :, 0].clone()
        activation = {"tanh": nn.Tanh, "relu": nn.ReLU, "linear": nn.Identity}[networks.training.activation]
        layers += [layer, activation()]
    return nn.Sequential(*layers[:-1])


def loss_of(module, training, inputs, targets):
    output = module(inputs)
    if training.output == "softmax":
        return nn.functional.cross_entropy(output, targets)
    return 0.5 * (output - targets).square().sum(1).mean()


def test_a_network_in_a_batch_is_the_network_alone(training):
    inputs, targets, rows = examples(3)
    together = BatchedNetworks(training, [4, 7, 9], torch.float64)
    alone = BatchedNetworks(training, [7], torch.float64)
    for _ in range(3):
        norms = together.epoch(inputs, targets, rows)
        norms_alone = alone.epoch(inputs[1:2], targets[1:2], rows[1:2])
    torch.testing.assert_close(together.parameters[1:2], alone.parameters)
    torch.testing.assert_close(norms[:, :, 1:2], norms_alone)
    assert not torch.allclose(together.parameters[0], together.parameters[1])


def test_examples_of_all_networks_are_as_examples_of_each(training):
    inputs, targets, rows = examples(1)
    shared, copied = (BatchedNetworks(training, [1, 2], torch.float64) for _ in range(2))
    shared.epoch(inputs, targets, rows.expand(2, -1))
    copied.epoch(inputs.repeat(2, 1, 1), targets.repeat(2, 1, 1), rows.expand(2, -1))
    torch.testing.assert_close(shared.parameters, copied.parameters)


def test_gradient_and_states_are_those_of_an_ordinary_module(training):
    inputs, targets, _ = examples(2)
    networks = BatchedNetworks(training, [0, 1], torch.float64)
    gradient = networks.gradient(inputs, targets)
    for row in range(2):
        module = module_of(networks, row)
        loss_of(module, training, inputs[row], targets[row]).backward()
        expected = torch.cat([parameter.grad.flatten() for parameter in module.parameters()])
        torch.testing.assert_close(gradient[row], expected)
        output = module(inputs[row])
        expected = output.softmax(1) if training.output == "softmax" else output
        torch.testing.assert_close(networks.forward(inputs)[1][-1][row].T, expected)


def test_gradient_through_noise_is_that_of_autograd():
    inputs, targets, _ = examples(1)
    networks = BatchedNetworks(TRAININGS["noisy"], [0], torch.float64)
    noise = networks.draw_noise(30, networks.generators)
    state, parameters = inputs[0], []
    for layer, (weight, bias) in enumerate(zip(networks.weights, networks.biases, strict=True)):
        parameters += [weight[0].clone().requires_grad_(), bias[0, :, 0].clone().requires_grad_()]
        state = state @ parameters[-2].T + parameters[-1]
        state = state.tanh() + noise[layer][0].T if layer < 2 else state
    nn.functional.cross_entropy(state, targets[0]).backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in parameters])
    torch.testing.assert_close(networks.gradient(inputs, targets, noise)[0], expected)


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_steps_are_those_of_torch(name):
    training = TRAININGS[name]
    inputs, targets, _ = examples(1)
    networks = BatchedNetworks(NetworkTraining(**{**vars(training), "batch_size": None}), [0], torch.float64)
    module = module_of(networks, 0)
    optimizer = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[training.optimizer](
        module.parameters(), training.learning_rate
    )
    for _ in range(20):
        networks.epoch(inputs, targets, torch.arange(30)[None])
        optimizer.zero_grad()
        loss_of(module, training, inputs[0], targets[0]).backward()
        optimizer.step()
    expected = torch.cat([parameter.flatten() for parameter in module.parameters()])
    torch.testing.assert_close(networks.parameters[0], expected)


def test_first_weights_have_the_deviation_that_was_asked_for_and_no_tail():
    networks = BatchedNetworks(NetworkTraining((400, 300, 2), gain=2.0), [0, 1])
    deviation = 2 / 400**0.5
    assert networks.weights[0].abs().max() <= 2 * deviation
    # A normal distribution that is cut off at two deviations keeps .8796 of its deviation.
    assert float(networks.weights[0].std()) == pytest.approx(0.8796 * deviation, rel=0.01)
    assert not networks.biases[0].any()


def test_noise_has_its_deviation_and_leaves_the_output_alone():
    networks = BatchedNetworks(TRAININGS["noisy"], [0, 1])
    noise = networks.draw_noise(5000, networks.generators)
    assert [tuple(layer.shape) for layer in noise] == [(2, 5, 5000), (2, 4, 5000)]
    assert float(noise[0].std()) == pytest.approx(0.3, rel=0.02)
    clean, states = networks.forward(torch.zeros(1, 5000, 6), noise)
    torch.testing.assert_close(states[0] - clean[0], noise[0])
    assert states[-1] is clean[-1]
    assert BatchedNetworks(TRAININGS["tanh"], [0]).draw_noise(3, []) is None


def test_orthonormality_makes_singular_values_one():
    training = NetworkTraining((6, 4, 3), learning_rate=0.0, orthonormality=0.3, batch_size=None)
    networks = BatchedNetworks(training, [0], torch.float64)
    inputs, targets, rows = examples(1)
    for _ in range(200):
        networks.epoch(inputs, targets, rows)
    for weight in networks.weights:
        torch.testing.assert_close(
            torch.linalg.svdvals(weight[0]), torch.ones(min(weight[0].shape), dtype=torch.float64)
        )


def test_norms_are_those_of_mean_and_deviation_over_steps():
    training = NetworkTraining(WIDTHS, optimizer="sgd", learning_rate=0.0, batch_size=5)
    networks = BatchedNetworks(training, [0], torch.float64)
    inputs, targets, rows = examples(1)
    twin = BatchedNetworks(training, [0], torch.float64)
    order = torch.randperm(20, generator=twin.generators[0])
    steps = torch.stack([twin.gradient(inputs[:, part], targets[:, part])[0].clone() for part in order.split(5)])
    found = networks.epoch(inputs, targets, rows)[:, :, 0]
    first = networks.layer_sizes[0]
    assert float(found[0, 0]) == pytest.approx(float(steps[:, :first].mean(0).norm()))
    assert float(found[1, 0]) == pytest.approx(float(steps[:, :first].std(0, correction=0).norm()))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"activation": "sine"}, "unknown activation 'sine': expected one of tanh, relu, linear"),
        ({"output": "tanh"}, "unknown output"),
        ({"optimizer": "lion"}, "unknown optimizer"),
        ({"widths": (3,)}, "widths are"),
        ({"widths": (3, 0)}, "widths are"),
        ({"batch_size": 0}, "batch size is 0"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(RequestError, match=message):
        NetworkTraining(**{"widths": WIDTHS, **settings})
