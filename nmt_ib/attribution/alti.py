"""ALTI+: how much of each position's vector comes from each piece, by exact decomposition of the attention blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.mixing import Mixed, chosen_layer, decoder_rolled_out, mixed_outcomes, rolled_out
from nmt_ib.protocols import AttendingEncoder, AttendingTranslator, EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import MixingBlock, Sentence, Target, TokenBatch

VECTORS_AT_ONCE = 1 << 23  # numbers in transformed vectors, 32 MiB: they grow with the square of the length


@dataclass(frozen=True)
class Alti:
    r"""Aggregation of layer-wise token-to-token interactions; in translation models ALTI+.

    Each attention block, its weights and norms frozen, is a sum of transformed vectors,
    :math:`y_i = \sum_j T_i(x_j) + b_i`, the residual being one of them. The share of :math:`x_j` in :math:`y_i` is how
    much closer :math:`T_i(x_j)` brings us to :math:`y_i - b_i`, what inputs have made of it:

    .. math:: c_{ij} \propto \max(0, \lVert y_i - b_i \rVert_1 - \lVert y_i - b_i - T_i(x_j) \rVert_1)

    Shares are >= 0. With `rollout` they are multiplied through the layers, feed-forward parts left out; those of all
    source pieces and of all that the decoder has read, its start included, sum to 1 for each target token. Of that,
    `details["special"]` is the share of special source pieces, which count 0 in scores and matrix.

    Attributes:
        layer: The last layer that is looked at, of the decoder in a translation model, else of the encoder; None: the
            model's last. The encoder of a translation model is always looked at as a whole.
        rollout: Whether to go on down to the input embeddings. If not, the shares are those of this layer's attention
            alone: of a translation model's encoder states in its cross-attention (the rest is the decoder's own
            state, so there is no prefix matrix), of an encoder layer's input in its output.
        with_bias: Whether to compare with :math:`y_i` as it is, as the paper does.

    `details["identity_error"]`: the largest :math:`\lVert \sum_j T_i(x_j) + b_i - y_i \rVert_2 / \lVert y_i \rVert_2`
    over the blocks that were looked at; only rounding should cause it.

    References:
        Ferrando et al. (2022), "Measuring the Mixing of Contextual Information in the Transformer", sections 3 and 4;
        Ferrando et al. (2022), "Towards Opening the Black Box of Neural Machine Translation: Source and Target
        Interpretations of the Transformer", section 3; for the frozen blocks Kobayashi et al. (2021), "Incorporating
        Residual and Normalization Layers into Analysis of Masked Language Models".
    """

    layer: int | None = None
    rollout: bool = True
    # Differs from the paper, whose y_i has its bias. No input made the bias, and where it is long the shares are those
    # of the vectors that happen to point its way: cross-attention of builtin:en-pt then aligns words no better than
    # chance (alignment error rate .91 instead of .19, first layer, intersection with builtin:pt-en).
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
            model: A translation model or an encoder; its weights and mode are left as they are.
            sources: Tokenised sentences.
            targets: Tokenised translations, in the same order; of an encoder labels, which change nothing, or None.
            batch_size: Sentences that go through the model at once; changes no result.

        Returns:
            One a sentence, in order: of a classifier the shares in the state of the first piece, which it reads; of
            another encoder their mean over all pieces.
        """
        layer = chosen_layer(model, self.layer)

        def mix(batch: TokenBatch, forced: TokenBatch | None) -> Mixed:
            if forced is None:
                return self._encoder(cast(AttendingEncoder, model), batch, layer)
            return self._translator(cast(AttendingTranslator, model), batch, forced, layer)

        method = "alti" if self.rollout else "alti_block"
        return mixed_outcomes(model, sources, targets, batch_size, mix, method=method, layer=layer)

    def _encoder(self, model: AttendingEncoder, batch: TokenBatch, layer: int) -> Mixed:
        blocks = model.encoder_blocks(model.embed(batch.ids), batch.mask)[0 if self.rollout else layer - 1 : layer]
        mixtures, errors = zip(*map(self._shares, blocks), strict=True)
        return Mixed(rolled_out(mixtures), None, details={"identity_error": _largest(errors, batch.mask)})

    def _translator(self, model: AttendingTranslator, batch: TokenBatch, forced: TokenBatch, layer: int) -> Mixed:
        encoded, length = model.encode(model.embed(batch.ids), batch.mask), batch.ids.shape[1]
        layers = model.decoder_blocks(encoded, batch.mask, forced.ids)[:layer]
        start = layers[0][0].output.shape[1] - forced.ids.shape[1]
        if not self.rollout:
            cross, error = self._shares(layers[-1][1])
            details = {"identity_error": _largest([error[:, start:]], forced.mask)}
            return Mixed(cross[:, start:, :length], None, details=details)
        encoder = self._encoder(model, batch, model.encoder_layers)
        measured = [(self._shares(own), self._shares(cross)) for own, cross in layers]
        made = decoder_rolled_out([(own[0], cross[0]) for own, cross in measured], encoder.source)
        error = _largest([block[1][:, start:] for pair in measured for block in pair], forced.mask)
        return Mixed(
            made[:, start:, :length],
            made[:, start:, length + start :],
            passes=2,  # the encoder runs twice
            details={"identity_error": torch.maximum(error, encoder.details["identity_error"])},
        )

    def _shares(self, block: MixingBlock) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T"]]:
        return shares(block, with_bias=self.with_bias)


def shares(block: MixingBlock, *, with_bias: bool = False) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T"]]:
    """The shares of what a block read in what it gave.

    Args:
        block: Any block.
        with_bias: Whether to compare with the output as it is, not with what inputs have made of it.

    Returns:
        Rows that sum to 1, or are 0 where no vector brings us closer; where the block crosses, with one more column for
        the residual. And the relative error of the decomposition at each position.
    """
    found, errors = [], []
    batch, length, width = block.output.shape
    step = max(1, VECTORS_AT_ONCE // (batch * block.reads * width))
    for start in range(0, length, step):
        rows = slice(start, start + step)
        output, bias, residual = (part[:, rows] for part in (block.output, block.bias, block.residual))
        vectors = block.moved(rows)
        if block.crosses:
            vectors = torch.cat([vectors, residual[:, :, None]], dim=2)
        else:
            place = torch.arange(output.shape[1], device=output.device)
            vectors[:, place, start + place] += residual
        rest = vectors.sum(2) + bias - output
        errors.append(rest.norm(dim=2) / output.norm(dim=2).clamp(min=torch.finfo(output.dtype).tiny))
        whole = output if with_bias else output - bias
        distance = (whole[:, :, None] - vectors).abs().sum(3)
        found.append((whole.abs().sum(2, keepdim=True) - distance).clamp(min=0))
    closer = torch.cat(found, dim=1)
    return closer / closer.sum(2, keepdim=True).clamp(min=torch.finfo(closer.dtype).tiny), torch.cat(errors, dim=1)


def _largest(errors: Sequence[Float[Tensor, "B T"]], mask: Bool[Tensor, "B T"]) -> Float[Tensor, " B"]:
    return torch.stack(list(errors)).amax(0).masked_fill(~mask, 0).amax(1)
