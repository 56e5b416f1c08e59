"""MarianMTModel with an SSRU decoder: what the students of Mozilla and Bergamot are."""

import math
from typing import cast, no_type_check

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSeq2SeqLM, MarianConfig, MarianMTModel
from transformers.cache_utils import Cache, EncoderDecoderCache
from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding


def marian_positions(positions: int, width: int) -> Float[Tensor, "positions width"]:
    """The sinusoidal table of marian-nmt: sines, then cosines, the exponent divided by width / 2 - 1.

    Args:
        positions: Number of rows.
        width: Width of the model, even.

    Returns:
        The table; Hugging Face's Marian divides by width / 2 instead.
    """
    half = width // 2
    rates = torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
    angles = torch.arange(positions)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def exact_norms_(model: nn.Module) -> None:
    """Gives all layer norms marian-nmt's epsilon.

    Args:
        model: Changed in place; Hugging Face's Marian has 1e-5.
    """
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-9


class MarianPositions(MarianSinusoidalPositionalEmbedding):
    """Position table of marian-nmt; Hugging Face refills it from `create_weight` whenever a model is built."""

    def create_weight(self) -> Tensor:
        """The table, in the weight's own dtype."""
        return marian_positions(*self.weight.shape).to(self.weight.dtype)


class SSRU(nn.Module):
    r"""Simpler simple recurrent unit, in the place of a decoder layer's self-attention.

    .. math:: f_t = \sigma(W_f x_t + b_f), \quad c_t = f_t c_{t-1} + (1 - f_t) W x_t, \quad y_t = \max(c_t, 0)

    References:
        Kim et al. (2019), "From Research to Production and Back: Ludicrously Fast Neural Machine Translation", sec. 3.
    """

    def __init__(self, width: int, layer_idx: int) -> None:
        super().__init__()
        self.cell = nn.Linear(width, width, bias=False)
        self.forget = nn.Linear(width, width)
        self.layer_idx = layer_idx

    def forward(
        self, hidden_states: Float[Tensor, "B T D"], cache: Cache | None = None, **_: object
    ) -> tuple[Float[Tensor, "B T D"], None]:
        """Output of the unit, and None where self-attention would return its weights.

        Args:
            hidden_states: Input of the layer.
            cache: Holds the history of cells as keys (B, 1, t, D), so that beam search reorders it as it does keys.

        Returns:
            max(c_t, 0) for each position, and None.
        """
        gate = torch.sigmoid(self.forget(hidden_states))
        update = (1 - gate) * self.cell(hidden_states)
        history = cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache
        cell = torch.zeros_like(update[:, 0])
        if history is not None and history.get_seq_length(self.layer_idx):
            cell = cast(Tensor, history.layers[self.layer_idx].keys)[:, 0, -1]  # type: ignore[union-attr]
        cells = []
        # A scan over t is all that cannot run in parallel. A logarithmic scan was no faster at 30 pieces: the loop
        # passes over memory three times, the scan fifteen times.
        for gate_t, update_t in zip(gate.unbind(1), update.unbind(1), strict=True):
            cell = torch.addcmul(update_t, gate_t, cell)
            cells.append(cell)
        states = torch.stack(cells, dim=1)
        if history is not None:
            history.update(states[:, None], states.new_zeros(*states.shape[:2], 0)[:, None], self.layer_idx)
        return torch.relu(states), None


@no_type_check  # a dataclass that takes more than its fields, which jaxtyping's run-time checks reject
class MarianSSRUConfig(MarianConfig):
    """A MarianConfig whose decoder layers are SSRU; a class of its own, so that plain Marian never loads it."""

    model_type = "marian-ssru"


class MarianSSRUForConditionalGeneration(MarianMTModel):
    """A translation model with the encoder of Marian and an SSRU decoder.

    Cross-attention, feed-forward layers, residuals and norms are MarianMTModel's own; only self-attention, the
    position table and the norms' epsilon differ. There are no decoder self-attention maps.
    """

    config_class = MarianSSRUConfig
    config: MarianSSRUConfig

    def __init__(self, config: MarianSSRUConfig) -> None:
        super().__init__(config)
        for stack in (self.model.encoder, self.model.decoder):
            stack.embed_positions = MarianPositions(config.max_position_embeddings, config.d_model)
        for index, layer in enumerate(self.model.decoder.layers):
            layer.self_attn = SSRU(config.d_model, index)
        exact_norms_(self)
        self.post_init()


AutoConfig.register(MarianSSRUConfig.model_type, MarianSSRUConfig)
AutoModelForSeq2SeqLM.register(MarianSSRUConfig, MarianSSRUForConditionalGeneration)
