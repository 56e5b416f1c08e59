"""MarianMTModel with an SSRU decoder, the architecture of the student models of Mozilla and Bergamot."""

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
        The table. Differs from Hugging Face's Marian, which divides by width / 2.
    """
    half = width // 2
    rates = torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
    angles = torch.arange(positions)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def exact_norms_(model: nn.Module) -> None:
    """Sets the epsilon of all layer norms to that of marian-nmt, in place.

    Args:
        model: Any module. Hugging Face's Marian has 1e-5.
    """
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-9


class MarianPositions(MarianSinusoidalPositionalEmbedding):
    """Position table of marian-nmt; Hugging Face calls `create_weight` whenever a model is built."""

    def create_weight(self) -> Tensor:
        """The table, in the weight's own dtype."""
        return marian_positions(*self.weight.shape).to(self.weight.dtype)


class SSRU(nn.Module):
    r"""Simpler simple recurrent unit, which replaces the self-attention of a decoder layer.

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
        """Output of the unit, and None in place of attention weights.

        Args:
            hidden_states: Input of the layer.
            cache: Stores the past cells as keys (B, 1, t, D), so that beam search reorders them like keys.

        Returns:
            max(c_t, 0) for each position, and None.
        """
        gate = torch.sigmoid(self.forget(hidden_states))
        update = (1 - gate) * self.cell(hidden_states)
        past = cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache
        cell = torch.zeros_like(update[:, 0])
        if past is not None and past.get_seq_length(self.layer_idx):
            cell = cast(Tensor, past.layers[self.layer_idx].keys)[:, 0, -1]  # type: ignore[union-attr]
        cells = []
        # Only this recurrence over t is sequential. A parallel scan was no faster at 30 pieces: it reads and writes
        # memory fifteen times, the loop three times.
        for gate_t, update_t in zip(gate.unbind(1), update.unbind(1), strict=True):
            cell = torch.addcmul(update_t, gate_t, cell)
            cells.append(cell)
        states = torch.stack(cells, dim=1)
        if past is not None:
            past.update(states[:, None], states.new_zeros(*states.shape[:2], 0)[:, None], self.layer_idx)
        return torch.relu(states), None


@no_type_check  # a dataclass that takes more than its fields, which jaxtyping's run-time checks reject
class MarianSSRUConfig(MarianConfig):
    """A MarianConfig for SSRU decoders; a separate class, so that MarianMTModel never loads such a model."""

    model_type = "marian-ssru"


class MarianSSRUForConditionalGeneration(MarianMTModel):
    """A translation model with the encoder of Marian and an SSRU decoder.

    Differs from MarianMTModel in the decoder's self-attention (and has no weights of it), the position table and the
    epsilon of the norms only.
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
