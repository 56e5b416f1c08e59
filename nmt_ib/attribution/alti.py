"""ALTI and ALTI+: the share of each input piece in each output vector, by exact decomposition of attention blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.mixing import Mixing, decoder_rollout, mixing_attributions, resolve_layer, rollout
from nmt_ib.blocks import MixingBlock
from nmt_ib.protocols import AttendingEncoder, AttendingTranslator, EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target, TokenBatch

MAX_NUMBERS = 1 << 23  # in transformed vectors computed at once, 32 MiB: they grow with the square of the length


@dataclass(frozen=True)
class Alti:
    r"""Aggregation of layer-wise token-to-token interactions (ALTI); for translation models ALTI+.

    With attention weights and norms held constant, the output of each attention block is a sum of transformed vectors,
    :math:`y_i = \sum_j T_i(x_j) + b_i`, the residual being one of them. The share of :math:`x_j` in :math:`y_i`
    measures how much closer :math:`T_i(x_j)` is to :math:`y_i - b_i`, the part of the output that depends on inputs,
    than the zero vector is:

    .. math:: c_{ij} \propto \max(0, \lVert y_i - b_i \rVert_1 - \lVert y_i - b_i - T_i(x_j) \rVert_1)

    Shares are >= 0 and have no unit. With `rollout` they are multiplied through the layers, feed-forward blocks left
    out; the shares of all source pieces and of the whole target prefix, its start piece included, sum to 1 for each
    target token. `details["special"]` is the share of special source pieces, which are 0 in scores and matrix.

    Attributes:
        layer: Last layer that is analysed, from 1, of the decoder in a translation model, else of the encoder; None:
            the last layer of the model. The encoder of a translation model is always analysed as a whole.
        rollout: Whether to multiply the shares down to the input embeddings. If not, they are those of this layer's
            attention alone: shares of the encoder states in the output of a decoder layer's cross-attention (the
            remainder belongs to the decoder's own state, so there is no prefix matrix), or of the inputs of an encoder
            layer in its outputs.
        with_bias: Whether distances are measured to :math:`y_i`, as in the paper, instead of :math:`y_i - b_i`.

    `details["identity_error"]` is the largest
    :math:`\lVert \sum_j T_i(x_j) + b_i - y_i \rVert_2 / \lVert y_i \rVert_2` over the blocks that were analysed; it
    should not exceed rounding errors.

    References:
        Ferrando et al. (2022), "Measuring the Mixing of Contextual Information in the Transformer", sections 3 and 4;
        Ferrando et al. (2022), "Towards Opening the Black Box of Neural Machine Translation: Source and Target
        Interpretations of the Transformer", section 3; for the frozen blocks Kobayashi et al. (2021), "Incorporating
        Residual and Normalization Layers into Analysis of Masked Language Models".
    """

    layer: int | None = None
    rollout: bool = True
    # Differs from the paper, whose y_i includes the bias. The bias depends on no input, and where its norm is large the
    # shares reward vectors that happen to point in its direction: cross-attention of builtin:en-pt then aligns words no
    # better than chance (alignment error rate .91 instead of .19, first layer, intersection with builtin:pt-en).
    with_bias: bool = False

    @torch.no_grad()
    def __call__(
        self,
        model: EncoderModel,
        sources: Sequence[Sentence],
        targets: Sequence[Target] | None = None,
        *,
        batch_size: int = 32,
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: A translation model or an encoder; its weights and mode are left unchanged.
            sources: Tokenised sentences.
            targets: Tokenised translations, in the same order; for an encoder labels or None, which do not affect
                scores.
            batch_size: Number of sentences per forward pass; does not affect results.

        Returns:
            One per sentence, in order: for a classifier the shares in the state of the first piece, which its output
            layer reads; for another encoder the mean over all pieces.
        """
        layer = resolve_layer(model, self.layer)

        def mix(batch: TokenBatch, forced: TokenBatch | None) -> Mixing:
            if forced is None:
                return self._encoder(cast(AttendingEncoder, model), batch, layer)
            return self._translator(cast(AttendingTranslator, model), batch, forced, layer)

        method = "alti" if self.rollout else "alti_block"
        return mixing_attributions(model, sources, targets, batch_size, mix, method=method, layer=layer)

    def _encoder(self, model: AttendingEncoder, batch: TokenBatch, layer: int) -> Mixing:
        blocks = model.encoder_blocks(model.embed(batch.ids), batch.mask)[0 if self.rollout else layer - 1 : layer]
        mixtures, errors = zip(*map(self._shares, blocks), strict=True)
        return Mixing(rollout(mixtures), None, details={"identity_error": _largest(errors, batch.mask)})

    def _translator(self, model: AttendingTranslator, batch: TokenBatch, forced: TokenBatch, layer: int) -> Mixing:
        encoded, length = model.encode(model.embed(batch.ids), batch.mask), batch.ids.shape[1]
        layers = model.decoder_blocks(encoded, batch.mask, forced.ids)[:layer]
        start = layers[0][0].output.shape[1] - forced.ids.shape[1]
        if not self.rollout:
            cross, error = self._shares(layers[-1][1])
            details = {"identity_error": _largest([error[:, start:]], forced.mask)}
            return Mixing(cross[:, start:, :length], None, details=details)
        encoder = self._encoder(model, batch, model.encoder_layers)
        measured = [(self._shares(own), self._shares(cross)) for own, cross in layers]
        shares = decoder_rollout([(own[0], cross[0]) for own, cross in measured], encoder.source_shares)
        error = _largest([block[1][:, start:] for pair in measured for block in pair], forced.mask)
        return Mixing(
            shares[:, start:, :length],
            shares[:, start:, length + start :],
            passes=2,  # the encoder runs twice
            details={"identity_error": torch.maximum(error, encoder.details["identity_error"])},
        )

    def _shares(self, block: MixingBlock) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T"]]:
        return shares(block, with_bias=self.with_bias)


def shares(block: MixingBlock, *, with_bias: bool = False) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T"]]:
    """Shares of the positions that a block reads in the positions of its output.

    Args:
        block: Any block.
        with_bias: Whether distances are measured to the output itself, not to the output without the bias.

    Returns:
        Shares, whose rows sum to 1, or are 0 where no vector is closer than the zero vector; for cross-attention with
        one more column for the residual. And the relative error of the decomposition at each output position.
    """
    gains, errors = [], []
    batch, length, width = block.output.shape
    step = max(1, MAX_NUMBERS // (batch * block.input_length * width))
    for start in range(0, length, step):
        rows = slice(start, start + step)
        output, bias, residual = (part[:, rows] for part in (block.output, block.bias, block.residual))
        vectors = block.transformed_vectors(rows)
        if block.is_cross:
            vectors = torch.cat([vectors, residual[:, :, None]], dim=2)
        else:
            offset = torch.arange(output.shape[1], device=output.device)
            vectors[:, offset, start + offset] += residual
        rest = vectors.sum(2) + bias - output
        errors.append(rest.norm(dim=2) / output.norm(dim=2).clamp(min=torch.finfo(output.dtype).tiny))
        whole = output if with_bias else output - bias
        distance = (whole[:, :, None] - vectors).abs().sum(3)
        gains.append((whole.abs().sum(2, keepdim=True) - distance).clamp(min=0))
    closer = torch.cat(gains, dim=1)
    return closer / closer.sum(2, keepdim=True).clamp(min=torch.finfo(closer.dtype).tiny), torch.cat(errors, dim=1)


def _largest(errors: Sequence[Float[Tensor, "B T"]], mask: Bool[Tensor, "B T"]) -> Float[Tensor, " B"]:
    return torch.stack(list(errors)).amax(0).masked_fill(~mask, 0).amax(1)
