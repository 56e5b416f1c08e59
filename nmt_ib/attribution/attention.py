"""Attention weights of one layer, or attention rollout over the layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard, cast

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.mixing import Mixing, mixing_attributions, resolve_layer, rollout
from nmt_ib.blocks import AttentionBlock, MixingBlock
from nmt_ib.protocols import AttendingEncoder, AttendingTranslator, EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target, TokenBatch


@dataclass(frozen=True)
class Attention:
    r"""Attention weights averaged over heads, in [0, 1], without unit.

    For a translation model the matrix is cross-attention and the prefix matrix the decoder's self-attention, which an
    SSRU decoder does not have. Special source pieces are 0 in scores and matrix; `details["special"]` is their weight.

    Attributes:
        layer: Layer, from 1, of the decoder in a translation model, else of the encoder; None: the last.
        rollout: Whether to multiply self-attention down to the input embeddings, with half of each state taken from
            the residual: the product of :math:`(A_l + I) / 2` over the layers up to `layer`. Cross-attention is
            multiplied by the rollout of the whole encoder.

    References:
        Abnar and Zuidema (2020), "Quantifying Attention Flow in Transformers", section 3 (attention rollout).
    """

    layer: int | None = None
    rollout: bool = False

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
            One per sentence, in order: for a classifier the attention of the first piece, whose state its output layer
            reads; for another encoder the mean over all pieces.
        """
        layer = resolve_layer(model, self.layer)

        def mix(batch: TokenBatch, forced: TokenBatch | None) -> Mixing:
            if forced is None:
                blocks = cast(AttendingEncoder, model).encoder_blocks(model.embed(batch.ids), batch.mask)
                return Mixing(self._self_attention(blocks[:layer]), None)
            return self._translator(cast(AttendingTranslator, model), batch, forced, layer)

        method = "attention_rollout" if self.rollout else "attention"
        return mixing_attributions(model, sources, targets, batch_size, mix, method=method, layer=layer)

    def _translator(self, model: AttendingTranslator, batch: TokenBatch, forced: TokenBatch, layer: int) -> Mixing:
        embeddings = model.embed(batch.ids)
        encoded = model.encode(embeddings, batch.mask)
        layers = model.decoder_blocks(encoded, batch.mask, forced.ids)[:layer]
        own, cross = [own for own, _ in layers], layers[-1][1].weights.mean(1)
        start = cross.shape[1] - forced.ids.shape[1]
        if self.rollout:
            cross = cross @ self._self_attention(model.encoder_blocks(embeddings, batch.mask))
        prefix = self._self_attention(own)[:, start:, start:] if _all_attend(own) else None
        return Mixing(cross[:, start:], prefix, passes=1 + self.rollout)  # rollout: the encoder runs twice

    def _self_attention(self, blocks: Sequence[AttentionBlock]) -> Float[Tensor, "B T T"]:
        """Self-attention of the last block, or the rollout of all blocks."""
        if not self.rollout:
            return blocks[-1].weights.mean(1)
        weights = [block.weights.mean(1) for block in blocks]
        return rollout([(layer + torch.eye(layer.shape[1]).to(layer)) / 2 for layer in weights])


def _all_attend(blocks: Sequence[MixingBlock]) -> TypeGuard[Sequence[AttentionBlock]]:
    return all(isinstance(block, AttentionBlock) for block in blocks)
