"""Context managers that read or replace the outputs of modules, and take layers out of a stack."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn


@contextmanager
def capture(modules: Sequence[nn.Module], item: int = 0) -> Iterator[list[Tensor]]:
    """Collects the modules' outputs in the order in which they run.

    Args:
        modules: Parts of one model.
        item: Index of the output if a module returns a tuple.

    Yields:
        A list that grows as the body runs the model.
    """
    outputs: list[Tensor] = []
    handles = [module.register_forward_hook(partial(_collect_output, outputs, item)) for module in modules]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def capture_input(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collects the first input of a module.

    Args:
        module: Part of a model.

    Yields:
        A list that grows as the body runs the model.
    """
    inputs: list[Tensor] = []
    handle = module.register_forward_pre_hook(partial(_collect_input, inputs))
    try:
        yield inputs
    finally:
        handle.remove()


@contextmanager
def edit(module: nn.Module, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Replaces the module's output by `change(output)`; of a tuple, only the first item.

    Args:
        module: Part of a model.
        change: Maps the output to its replacement.

    Yields:
        Nothing; the change applies inside the body.
    """
    handle = module.register_forward_hook(partial(_changed_output, change))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def without_layers(stack: nn.Module, name: str, start: int, stop: int) -> Iterator[None]:
    """Removes the layers `start` to `stop` (exclusive) from a stack.

    Args:
        stack: Encoder or decoder.
        name: Attribute of `stack` that holds its list of layers.
        start: First layer to remove.
        stop: First layer after those to remove.

    Yields:
        Nothing; the layers are missing inside the body.
    """
    layers = getattr(stack, name)
    setattr(stack, name, nn.ModuleList([*layers[:start], *layers[stop:]]))
    try:
        yield
    finally:
        setattr(stack, name, layers)


# Not nested functions: the tests' run-time type checker would compile those at each call.


def _collect_output(outputs: list[Tensor], item: int, _module: nn.Module, _inputs: Any, output: Any) -> None:
    outputs.append(output if isinstance(output, Tensor) else output[item])


def _collect_input(inputs: list[Tensor], _module: nn.Module, given: tuple[Tensor, ...]) -> None:
    inputs.append(given[0])


def _changed_output(change: Callable[[Tensor], Tensor], _module: nn.Module, _inputs: Any, output: Any) -> Any:
    return change(output) if isinstance(output, Tensor) else (change(output[0]), *output[1:])
