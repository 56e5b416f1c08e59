"""The attention blocks of a forward pass, each as a linear map of its inputs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, logsigmoid
from transformers import PreTrainedModel

from nmt_ib.blocks import AttentionBlock, MixingBlock, RecurrentBlock
from nmt_ib.models.hooks import capture, capture_input
from nmt_ib.models.layouts import AttentionLayout, RecurrenceLayout

Layout = AttentionLayout | RecurrenceLayout


def read_blocks(
    model: PreTrainedModel, places: Sequence[tuple[nn.Module, Layout]], forward: Callable[[], object]
) -> tuple[MixingBlock, ...]:
    """The blocks of one forward pass.

    Args:
        model: The model that the layers belong to.
        places: Layers, each with the layout of the block to read, in the order in which the blocks run.
        forward: Runs the model so that each block runs once.

    Returns:
        One block per place.
    """
    with eager_attention(model), ExitStack() as hooks:
        captured = [[hooks.enter_context(one) for one in _captures(layer, layout)] for layer, layout in places]
        forward()
    return tuple(
        _block(layer, layout, *(tensors[0] for tensors in row))
        for (layer, layout), row in zip(places, captured, strict=True)
    )


@contextmanager
def eager_attention(model: PreTrainedModel) -> Iterator[None]:
    """Switches to eager attention, the only implementation that returns its weights, and back afterwards.

    Args:
        model: The model.

    Yields:
        Nothing; attention is eager inside the body.
    """
    before = model.config._attn_implementation  # noqa: SLF001 - transformers has a setter, but no public getter
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _captures(layer: nn.Module, layout: Layout) -> list[AbstractContextManager[list[Tensor]]]:
    part = layer.get_submodule
    if isinstance(layout, RecurrenceLayout):
        return [
            capture_input(part(layout.cell)),
            capture([part(layout.cell)]),
            capture([part(layout.forget)]),
            capture([part(layout.unit)]),
            capture([part(layout.norm)]),
        ]
    return [
        capture_input(part(layout.norm if layout.norm_first else layout.query)),
        capture_input(part(layout.value)),
        capture([part(layout.weights)], item=-1),
        capture([part(layout.output)]),
        capture([part(layout.norm)]),
    ]


def _block(layer: nn.Module, layout: Layout, *captured: Tensor) -> MixingBlock:
    if isinstance(layout, RecurrenceLayout):
        return _recurrent(cast(nn.LayerNorm, layer.get_submodule(layout.norm)), *captured)
    return _attention(layer, layout, *captured)


def _attention(
    layer: nn.Module,
    layout: AttentionLayout,
    residual: Float[Tensor, "B T D"],
    attended: Float[Tensor, "B S D"],
    weights: Float[Tensor, "B H T S"],
    result: Float[Tensor, "B T D"],
    normed: Float[Tensor, "B T D"],
) -> AttentionBlock:
    value, output = (cast(nn.Linear, layer.get_submodule(name)) for name in (layout.value, layout.output))
    norm = cast(nn.LayerNorm, layer.get_submodule(layout.norm))
    # The output of a norm before the block is linear in x_j except for the norm's bias; T5's RMS norm has no bias.
    shift = getattr(norm, "bias", None) if layout.norm_first and not layout.crosses else None
    shift = attended.new_zeros(attended.shape[2]) if shift is None else shift
    values = linear(attended - shift, value.weight).unflatten(2, (weights.shape[1], -1)).transpose(1, 2)
    projection = output.weight.T.unflatten(0, (weights.shape[1], -1))
    bias = output(value(shift)).expand_as(result)
    total, scale = residual + result, torch.ones_like(result[..., 0])
    if not layout.norm_first:
        scale, projection = _scale(norm, total), _weighted(norm, projection)
        residual, bias = (_weighted(norm, part) * scale[..., None] for part in (residual, bias))
        bias, total = bias + norm.bias, normed
    return AttentionBlock(total, residual, bias, layout.crosses, weights, values, projection, scale)


def _recurrent(
    norm: nn.LayerNorm,
    residual: Float[Tensor, "B T D"],
    cell: Float[Tensor, "B T D"],
    forget: Float[Tensor, "B T D"],
    result: Float[Tensor, "B T D"],
    normed: Float[Tensor, "B T D"],
) -> RecurrentBlock:
    scale = _scale(norm, residual + result)
    return RecurrentBlock(
        output=normed,
        residual=_weighted(norm, residual) * scale[..., None],
        bias=norm.bias.expand_as(normed),
        is_cross=False,
        log_gates=logsigmoid(forget.double()).cumsum(1),
        updates=torch.sigmoid(-forget) * cell,
        relu_mask=result > 0,
        norm_weight=norm.weight,
        scale=scale,
    )


def _scale(norm: nn.LayerNorm, states: Float[Tensor, "B T D"]) -> Float[Tensor, "B T"]:
    """One over the standard deviation by which a LayerNorm divides each state."""
    return (states.var(2, correction=0) + norm.eps).rsqrt()


def _weighted(norm: nn.LayerNorm, states: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
    """The linear part of a LayerNorm: without its division and its bias."""
    return (states - states.mean(-1, keepdim=True)) * norm.weight
