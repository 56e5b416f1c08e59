"""A stack of layers whose forward pass can start and stop at any layer."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from torch import Tensor, nn

from nmt_ib.errors import RequestError
from nmt_ib.models.hooks import capture, edit, without_layers


@dataclass(frozen=True)
class LayerStack:
    """A module that runs a list of layers in sequence.

    Attributes:
        module: Encoder or decoder.
        name: Attribute of `module` that holds its list of layers.
    """

    module: nn.Module
    name: str

    @property
    def layers(self) -> nn.ModuleList:
        """The layers."""
        return getattr(self.module, self.name)

    def run(
        self,
        forward: Callable[[], Tensor],
        states: Tensor,
        from_layer: int = 0,
        to_layer: int | None = None,
    ) -> Tensor:
        """Runs the layers `from_layer` + 1 to `to_layer`.

        Args:
            forward: Runs the module, or a model that contains it.
            states: Replacement for the output of layer `from_layer`; ignored if that is 0.
            from_layer: Layer whose output is replaced; 0: none.
            to_layer: Last layer to run; None: all layers, and the rest of `forward`.

        Returns:
            Output of `forward`, or of layer `to_layer`.

        Raises:
            RequestError: There are no such layers, or `to_layer` is lower than `from_layer`.
        """
        first, count = self.layers[0], len(self.layers)
        last = count if to_layer is None else to_layer
        if not 0 <= from_layer <= last <= count:
            raise RequestError(f"cannot run from layer {from_layer} to layer {last} of {count} layers")
        if to_layer == from_layer:
            return states
        with ExitStack() as changes:
            outputs: list[Tensor] = []
            if to_layer is not None:
                changes.enter_context(without_layers(self.module, self.name, to_layer, count))
            if from_layer:
                # The first layer always runs, with its output replaced: in T5 it computes all layers' position bias.
                changes.enter_context(without_layers(self.module, self.name, 1, from_layer))
                changes.enter_context(edit(first, lambda _: states))
            if to_layer is not None:
                outputs = changes.enter_context(capture([self.layers[-1]]))
            output = forward()
        return output if to_layer is None else outputs[-1]

    def states(self, forward: Callable[[], Tensor]) -> tuple[Tensor, ...]:
        """Outputs of all layers during `forward`."""
        with capture(list(self.layers)) as outputs:
            forward()
        return tuple(outputs)
