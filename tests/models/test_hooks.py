"""Hooks hold inside their body and nowhere else, whatever happens there."""

import pytest
import torch
from torch import nn

from nmt_ib.models.hooks import capture, edit, without_layers


class Pair(nn.Module):
    """A layer that returns its output and two more things, as attention does."""

    def forward(self, x):
        return x + 1, "weights", x


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Pair(), nn.Linear(2, 2), Pair()])

    def forward(self, x):
        for layer in self.layers:
            output = layer(x)
            x = output if isinstance(output, torch.Tensor) else output[0]
        return x


@pytest.fixture
def stack():
    torch.manual_seed(0)
    return Stack()


def hooks(stack):
    return sum(len(part._forward_hooks) for part in stack.modules())


def test_capture_takes_tensors_and_the_first_of_a_tuple(stack):
    x = torch.ones(1, 2)
    with capture(list(stack.layers)) as outputs:
        result = stack(x)
    assert torch.equal(outputs[0], x + 1)
    assert torch.equal(outputs[1], stack.layers[1](x + 1))
    assert torch.equal(outputs[2], result)
    stack(x)
    assert len(outputs) == 3


def test_capture_takes_another_item_of_a_tuple(stack):
    x = torch.ones(1, 2)
    with capture([stack.layers[0]], item=-1) as outputs:
        stack(x)
    assert outputs[0] is x


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_edit_changes_what_the_next_layer_reads(stack, layer):
    x = torch.ones(1, 2)
    expected = x
    for number, part in enumerate(stack.layers):
        expected = expected + 1 if isinstance(part, Pair) else part(expected)
        if number == layer:
            expected = expected * 3
    with edit(stack.layers[layer], lambda output: output * 3):
        assert torch.equal(stack(x), expected)
    assert not torch.equal(stack(x), expected)


def test_edit_keeps_the_rest_of_a_tuple(stack):
    x = torch.ones(1, 2)
    with edit(stack.layers[0], torch.zeros_like):
        first, *rest = stack.layers[0](x)
    assert torch.equal(first, torch.zeros(1, 2))
    assert rest == ["weights", x]


def test_the_last_edit_has_the_last_word(stack):
    with edit(stack.layers[2], lambda output: output * 0 + 1), edit(stack.layers[2], lambda output: output + 1):
        assert torch.equal(stack(torch.ones(1, 2)), torch.full((1, 2), 2.0))


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (1, 1), (1, 3), (0, 2), (0, 3)])
def test_without_layers_runs_the_others(stack, start, stop):
    x, layers = torch.ones(1, 2), stack.layers
    kept = [layer for number, layer in enumerate(layers) if not start <= number < stop]
    expected = x
    for layer in kept:
        output = layer(expected)
        expected = output if isinstance(output, torch.Tensor) else output[0]
    with without_layers(stack, "layers", start, stop):
        assert torch.equal(stack(x), expected)
        assert list(stack.layers) == kept
    assert stack.layers is layers
    assert len(stack.layers) == 3


@pytest.mark.parametrize(
    "context",
    [
        lambda stack: capture(list(stack.layers)),
        lambda stack: edit(stack.layers[0], lambda output: output * 2),
        lambda stack: without_layers(stack, "layers", 1, 3),
    ],
    ids=["capture", "edit", "without_layers"],
)
def test_nothing_is_left_when_the_body_raises(stack, context):
    names, layers, before = list(stack.state_dict()), stack.layers, stack(torch.ones(1, 2))
    with pytest.raises(ZeroDivisionError):
        raise_inside(context(stack), stack)
    assert hooks(stack) == 0
    assert stack.layers is layers
    assert list(stack.state_dict()) == names
    assert torch.equal(stack(torch.ones(1, 2)), before)


def raise_inside(context, stack):
    with context:
        stack(torch.ones(1, 2))
        raise ZeroDivisionError


def test_an_error_in_the_change_itself_leaves_no_hook(stack):
    with pytest.raises(KeyError), edit(stack.layers[0], lambda _: {}["missing"]):
        stack(torch.ones(1, 2))
    assert hooks(stack) == 0
