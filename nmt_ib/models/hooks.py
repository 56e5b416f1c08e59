"""capture() and edit(): context managers over a module's output, be it a tensor or a tuple."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


@contextmanager
def capture(modules: Sequence[nn.Module], item: int = 0) -> Iterator[list[Tensor]]:
    """Collects the modules' outputs in the order in which they run.

    Args:
        modules: Parts of one model.
        item: Which one to take where the output is a tuple.

    Yields:
        A list that fills up as the body runs the model.
    """
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        outputs.append(output if isinstance(output, Tensor) else output[item])

    handles = [module.register_forward_hook(keep) for module in modules]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def capture_input(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collects what a module reads.

    Args:
        module: Part of a model.

    Yields:
        A list that fills up as the body runs the model.
    """
    read: list[Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        read.append(inputs[0])

    handle = module.register_forward_pre_hook(keep)
    try:
        yield read
    finally:
        handle.remove()


@contextmanager
def edit(module: nn.Module, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Replaces the module's output by `change(output)`; the rest of a tuple stays.

    Args:
        module: Part of a model.
        change: From the output tensor to the one that the model goes on with.

    Yields:
        Nothing; the change holds inside the body.
    """

    def put(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        if isinstance(output, Tensor):
            return change(output)
        return (change(output[0]), *output[1:])

    handle = module.register_forward_hook(put)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def without_layers(stack: nn.Module, name: str, start: int, stop: int) -> Iterator[None]:
    """Takes the layers `start` to `stop` (exclusive) out of a stack.

    Args:
        stack: Encoder or decoder.
        name: Its list of layers.
        start: First layer to take out.
        stop: First layer to keep again.

    Yields:
        Nothing; the stack is shorter inside the body.
    """
    layers = getattr(stack, name)
    setattr(stack, name, nn.ModuleList([*layers[:start], *layers[stop:]]))
    try:
        yield
    finally:
        setattr(stack, name, layers)
