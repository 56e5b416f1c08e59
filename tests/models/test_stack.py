"""A stack of layers run from and to any layer, against its layers run by hand."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from nmt_ib.errors import RequestError
from nmt_ib.models.stack import LayerStack

DEPTH = 4
PATHS = [(start, stop) for start in range(DEPTH + 1) for stop in range(start, DEPTH + 1)]


class Encoder(nn.Module):
    """Adds 1 before its layers and doubles their result, so that both are seen to run or not."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList(nn.Linear(3, 3) for _ in range(DEPTH))

    def forward(self, x):
        x = x + 1
        for block in self.blocks:
            x = block(x)
        return 2 * x


@pytest.fixture
def encoder():
    return Encoder().double().requires_grad_(False)


@pytest.fixture
def stack(encoder):
    return LayerStack(encoder, "blocks")


X = torch.arange(6, dtype=torch.float64).view(2, 3)


def by_hand(encoder, states, start, stop):
    for block in list(encoder.blocks)[start:stop]:
        states = block(states)
    return states


@pytest.mark.parametrize(("start", "stop"), PATHS)
def test_from_one_layer_to_another(encoder, stack, start, stop):
    states = X if start else X + 1
    expected = X if start == stop else by_hand(encoder, states, start, stop)
    assert_close(stack.run(lambda: encoder(X), X, start, stop), expected)


@pytest.mark.parametrize("start", range(DEPTH + 1))
def test_to_the_end(encoder, stack, start):
    states = X if start else X + 1
    assert_close(stack.run(lambda: encoder(X), X, start), 2 * by_hand(encoder, states, start, DEPTH))


def test_the_outputs_of_all_layers(encoder, stack):
    expected = [by_hand(encoder, X + 1, 0, stop) for stop in range(1, DEPTH + 1)]
    assert_close(list(stack.states(lambda: encoder(X))), expected)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 5), (5, None)])
def test_layers_that_do_not_exist(encoder, stack, start, stop):
    with pytest.raises(RequestError, match=f"cannot run from layer {start} to layer {stop or DEPTH} of 4 layers"):
        stack.run(lambda: encoder(X), X, start, stop)


def test_the_stack_is_left_as_it_was_after_an_error(encoder, stack):
    with pytest.raises(ZeroDivisionError):
        stack.run(lambda: 1 / 0, X, 2, 3)
    assert len(stack.layers) == DEPTH
    assert not any(block._forward_hooks for block in stack.layers)
