"""Attention as it is: the weights of one layer, or rolled out over the layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard, cast

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.mixing import Mixed, chosen_layer, mixed_outcomes, rolled_out
from nmt_ib.protocols import AttendingEncoder, AttendingTranslator, EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import AttentionBlock, MixingBlock, Sentence, Target, TokenBatch


@dataclass(frozen=True)
class Attention:
    r"""Attention weights, the mean over heads, >= 0.

    In a translation model the matrix is cross-attention, and the prefix matrix the decoder's self-attention; there is
    none where an SSRU stands in its place. Special source pieces count 0 in scores and matrix; `details["special"]` is
    the weight that goes to them.

    Attributes:
        layer: Layer of the decoder in a translation model, else of the encoder; None: the last.
        rollout: Whether to follow self-attention down to the input embeddings, half of each state being the
            residual: the product of :math:`(A_l + I) / 2` over the layers up to `layer`. Cross-attention is followed
            through the whole encoder.

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
            model: A translation model or an encoder; its weights and mode are left as they are.
            sources: Tokenised sentences.
            targets: Tokenised translations, in the same order; of an encoder labels, which change nothing, or None.
            batch_size: Sentences that go through the model at once; changes no result.

        Returns:
            One a sentence, in order: of a classifier the attention of the first piece, which it reads; of another
            encoder the mean over all pieces.
        """
        layer = chosen_layer(model, self.layer)

        def mix(batch: TokenBatch, forced: TokenBatch | None) -> Mixed:
            if forced is None:
                blocks = cast(AttendingEncoder, model).encoder_blocks(model.embed(batch.ids), batch.mask)
                return Mixed(self._followed(blocks[:layer]), None)
            return self._translator(cast(AttendingTranslator, model), batch, forced, layer)

        method = "attention_rollout" if self.rollout else "attention"
        return mixed_outcomes(model, sources, targets, batch_size, mix, method=method, layer=layer)

    def _translator(self, model: AttendingTranslator, batch: TokenBatch, forced: TokenBatch, layer: int) -> Mixed:
        embeddings = model.embed(batch.ids)
        encoded = model.encode(embeddings, batch.mask)
        layers = model.decoder_blocks(encoded, batch.mask, forced.ids)[:layer]
        own, cross = [own for own, _ in layers], layers[-1][1].weights.mean(1)
        start = cross.shape[1] - forced.ids.shape[1]
        if self.rollout:
            cross = cross @ self._followed(model.encoder_blocks(embeddings, batch.mask))
        prefix = self._followed(own)[:, start:, start:] if _attend(own) else None
        return Mixed(cross[:, start:], prefix, passes=1 + self.rollout)  # rollout runs the encoder twice

    def _followed(self, blocks: Sequence[AttentionBlock]) -> Float[Tensor, "B T T"]:
        """Self-attention of the last block, or the rollout of all of them."""
        if not self.rollout:
            return blocks[-1].weights.mean(1)
        weights = [block.weights.mean(1) for block in blocks]
        return rolled_out([(one + torch.eye(one.shape[1]).to(one)) / 2 for one in weights])


def _attend(blocks: Sequence[MixingBlock]) -> TypeGuard[Sequence[AttentionBlock]]:
    return all(isinstance(block, AttentionBlock) for block in blocks)
