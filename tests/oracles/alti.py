"""Attention blocks and ALTI+, slowly: one sentence, one pair of positions and one head at a time.

Attention weights and states come from Hugging Face's own `output_attentions` and `output_hidden_states`, in a copy of
the network; the decomposition follows Ferrando et al. (2022) word for word.
"""

import copy
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor, nn

PRE_NORM = ("mbart-50", "mbart-25", "m2m100", "nllb", "t5", "t5-untied", "mt5")


@dataclass
class SlowBlock:
    """One block: transformed vectors T[i][j] from j to i; the residual's part; and the output."""

    transformed: list[list[Tensor]]
    residual: list[Tensor]
    output: list[Tensor]
    is_cross: bool = False

    def shares(self, with_bias: bool = False) -> Tensor:
        """Rows sum to 1; with a last column for the residual of cross-attention."""
        rows = []
        for i, vectors in enumerate(self.transformed):
            parts = [vector.clone() for vector in vectors]
            if self.is_cross:
                parts.append(self.residual[i])
            else:
                parts[i] = parts[i] + self.residual[i]
            y = self.output[i] if with_bias else torch.stack(parts).sum(0)
            closer = [max(0.0, (y.abs().sum() - (y - part).abs().sum()).item()) for part in parts]
            rows.append([share / (sum(closer) or 1) for share in closer])
        return torch.tensor(rows, dtype=torch.float64)


def modules(layer: nn.Module, kind: str, part: str) -> SimpleNamespace:
    """Value and output projection, and norm, of a block, under the names of its architecture."""
    if kind in ("t5", "t5-untied", "mt5"):
        block = layer.layer[0 if part == "self" else 1]
        attention = block.SelfAttention if part == "self" else block.EncDecAttention
        return SimpleNamespace(value=attention.v, output=attention.o, norm=block.layer_norm)
    if kind.startswith("distilbert"):
        attention = layer.attention
        return SimpleNamespace(value=attention.v_lin, output=attention.out_lin, norm=layer.sa_layer_norm)
    if hasattr(layer, "attention"):
        value = "value_proj" if kind.startswith("deberta") else "value"
        inner, outer = layer.attention.self, layer.attention.output
        return SimpleNamespace(value=getattr(inner, value), output=outer.dense, norm=outer.LayerNorm)
    name = "self_attn" if part == "self" else "encoder_attn"
    attention = getattr(layer, name)
    return SimpleNamespace(value=attention.v_proj, output=attention.out_proj, norm=getattr(layer, f"{name}_layer_norm"))


def linear_part(module: nn.Linear, vector: Tensor) -> Tensor:
    return module(vector) - module(torch.zeros_like(vector))


def frozen(norm: nn.LayerNorm, total: Tensor, vector: Tensor) -> Tensor:
    """The norm of `total`, applied to a part of it: its mean goes, the deviation is that of the whole."""
    deviation = (((total - total.mean()) ** 2).mean() + norm.eps).sqrt()
    return norm.weight * (vector - vector.mean()) / deviation


def attention_block(
    layer: nn.Module, kind: str, part: str, weights: Tensor, states: Tensor, encoded: Tensor | None = None
) -> SlowBlock:
    """From weights (H, T, S), the block's input (T, D) and, where it is_cross, the encoder's last states (S, D)."""
    names, pre = modules(layer, kind, part), kind in PRE_NORM
    zero = torch.zeros(states.shape[1], dtype=states.dtype)
    width = names.output.in_features // len(weights)
    block = SlowBlock([], [], [], is_cross=part == "cross")
    bias = getattr(names.norm, "bias", None)
    shift = bias if pre and encoded is None and bias is not None else zero
    read = encoded if encoded is not None else names.norm(states) if pre else states
    values = [(linear_part(names.value, vector - shift), names.value(vector)) for vector in read]
    for i, state in enumerate(states):
        transformed, whole = [], torch.zeros(names.output.in_features, dtype=states.dtype)
        for j, value in enumerate(values):
            linear = [part * head[i, j] for part, head in zip(value[0].split(width), weights, strict=True)]
            transformed.append(linear_part(names.output, torch.cat(linear)))
            whole += torch.cat([part * head[i, j] for part, head in zip(value[1].split(width), weights, strict=True)])
        total = state + names.output(whole)
        if pre:
            block.output.append(total)
            block.residual.append(state)
            block.transformed.append(transformed)
        else:
            block.output.append(names.norm(total))
            block.residual.append(frozen(names.norm, total, state))
            block.transformed.append([frozen(names.norm, total, vector) for vector in transformed])
    return block


def ssru_block(layer: nn.Module, states: Tensor) -> SlowBlock:
    unit, norm = layer.self_attn, layer.self_attn_layer_norm
    gates = [torch.sigmoid(unit.forget(state)) for state in states]
    block, cell = SlowBlock([], [], []), torch.zeros_like(states[0])
    for i, state in enumerate(states):
        cell = gates[i] * cell + (1 - gates[i]) * unit.cell(state)
        total = state + cell.clamp(min=0)
        transformed = []
        for j, earlier in enumerate(states):
            vector = (1 - gates[j]) * unit.cell(earlier) * (cell > 0) if j <= i else torch.zeros_like(cell)
            for later in range(j + 1, i + 1):
                vector = vector * gates[later]
            transformed.append(frozen(norm, total, vector))
        block.transformed.append(transformed)
        block.residual.append(frozen(norm, total, state))
        block.output.append(norm(total))
    return block


@torch.no_grad()
def slow_encoder(model, kind: str, sentence) -> list[SlowBlock]:
    """Blocks of a BERT-like encoder."""
    network = copy.deepcopy(model.model).base_model
    network.set_attn_implementation("eager")
    layers = network.get_submodule("transformer.layer" if kind.startswith("distilbert") else "encoder.layer")
    given = network(input_ids=torch.tensor([sentence.ids]), output_attentions=True, output_hidden_states=True)
    return [
        attention_block(layer, kind, "self", weights[0], states[0])
        for layer, weights, states in zip(layers, given.attentions, given.hidden_states, strict=False)
    ]


@torch.no_grad()
def slow_translation(tiny, kind: str, source, target) -> tuple[list[SlowBlock], list[tuple[SlowBlock, SlowBlock]]]:
    """Blocks of the encoder, and two for each decoder layer."""
    network = copy.deepcopy(tiny.model.model)
    network.set_attn_implementation("eager")
    start = tiny.model.tokenizer.convert_tokens_to_ids(list(tiny.start))
    given = network(
        input_ids=torch.tensor([source.ids]), decoder_input_ids=torch.tensor([[*start, *target.ids[:-1]]]),
        output_attentions=True, output_hidden_states=True, use_cache=False,
    )  # fmt: skip
    stacks = [network.get_encoder(), network.get_decoder()]
    encoder, decoder = (stack.block if hasattr(stack, "block") else stack.layers for stack in stacks)
    inner = [
        attention_block(layer, kind, "self", weights[0], states[0])
        for layer, weights, states in zip(encoder, given.encoder_attentions, given.encoder_hidden_states, strict=False)
    ]
    outer, encoded = [], given.encoder_last_hidden_state[0]
    for number, layer in enumerate(decoder):
        states = given.decoder_hidden_states[number][0]
        if kind.startswith("ssru"):
            own = ssru_block(layer, states)
        else:
            own = attention_block(layer, kind, "self", given.decoder_attentions[number][0], states)
        weights = given.cross_attentions[number][0]
        outer.append((own, attention_block(layer, kind, "cross", weights, torch.stack(own.output), encoded)))
    return inner, outer


def times(above: Tensor, below: Tensor) -> Tensor:
    """One layer more of rollout, entry by entry."""
    product = torch.zeros(len(above), below.shape[1], dtype=torch.float64)
    for i in range(len(above)):
        for j in range(below.shape[1]):
            for k in range(len(below)):
                product[i, j] += above[i, k] * below[k, j]
    return product


def rollout(matrices: list[Tensor]) -> Tensor:
    made = torch.eye(len(matrices[0]), dtype=torch.float64)
    for matrix in matrices:
        made = times(matrix, made)
    return made


def decoder_rollout(layers: list[tuple[Tensor, Tensor]], encoded: Tensor) -> tuple[Tensor, Tensor]:
    """What each decoder position is made of: source pieces, and what was read."""
    length = len(layers[0][0])
    source = torch.zeros(length, len(encoded), dtype=torch.float64)
    read = torch.eye(length, dtype=torch.float64)
    for own, cross in layers:
        own_source, own_read = times(own, source), times(own, read)
        through = times(cross[:, :-1], encoded)
        source = torch.stack([through[i] + cross[i, -1] * own_source[i] for i in range(length)])
        read = torch.stack([cross[i, -1] * own_read[i] for i in range(length)])
    return source, read
