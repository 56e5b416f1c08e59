"""TranslationModel over any Hugging Face encoder-decoder of the layouts table."""

from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt_ib.blocks import AttentionBlock, MixingBlock
from nmt_ib.models.attention_blocks import eager_attention, read_blocks
from nmt_ib.models.fingerprints import fingerprint_of
from nmt_ib.models.generation import generate
from nmt_ib.models.hooks import capture, edit
from nmt_ib.models.languages import decoder_prefix
from nmt_ib.models.seq2seq_encoder import Seq2SeqEncoder
from nmt_ib.models.stack import LayerStack
from nmt_ib.models.subwords import read_pieces
from nmt_ib.types import Decoded, Sentence, TokenBatch


class Seq2SeqModel(Seq2SeqEncoder):
    """A translation model whose encoder can start at any layer and whose decoder can be forced to write a target.

    Args:
        model: Marian (self-attention or SSRU), BART, mBART, M2M100 or NLLB, T5 or mT5.
        tokenizer: Its tokenizer.
        name: Name that the user gave.
        source_language: Language of the sources as the tokenizer names it; needed by mBART, M2M100 and NLLB.
        target_language: Language of the targets; needed by the same, and by Marian models of several target languages.
        prefix: Text put before each source; T5 needs it ("translate English to German: "), "" for none.

    Raises:
        RequestError: The architecture is not supported, or a setting is missing or unknown to the tokenizer.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str,
        source_language: str | None = None,
        target_language: str | None = None,
        prefix: str | None = None,
    ) -> None:
        languages = {"source_language": source_language, "target_language": target_language}
        super().__init__(model, tokenizer, name=name, prefix=prefix, **languages)
        self.decoder = model.get_decoder()
        self._decoder_stack = LayerStack(self.decoder, self.layout.layers)
        self.decoder_layers = len(self._decoder_stack.layers)
        self.eos_id = tokenizer.eos_token_id
        self._decoder_prefix = decoder_prefix(model, tokenizer, target_language if self.layout.languages else None)
        self.max_target_pieces = self.max_source_pieces - len(self._decoder_prefix) + 1

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all weights and of the settings that change an input."""
        return fingerprint_of(self.model, (self.text_prefix, *self._around, self._decoder_prefix))

    @property
    def parts(self) -> tuple[tuple[str, torch.nn.Module], ...]:
        """Modules that hold the weights, by name, from the output to the embeddings; the last holds all the rest."""
        output, table = self.model.get_output_embeddings(), self.decoder.get_input_embeddings()
        head = [] if output.weight is table.weight else [("output", output)]
        stacks = [("encoder", self._encoder_stack), ("decoder", self._decoder_stack)]
        layers = [
            (f"{name} {number}", layer) for name, stack in stacks for number, layer in enumerate(stack.layers, start=1)
        ]
        return (*head, *reversed(layers), ("embeddings", self.model))

    def tokenize_target(self, text: str) -> Sentence:
        """Pieces of one target sentence, with a final `</s>`.

        Args:
            text: The sentence.

        Returns:
            The sentence, without words.
        """
        pieces = read_pieces(self.tokenizer, text, target=True)
        return self._target(text, [*(piece.id for piece in pieces), self.eos_id])

    def _target(self, text: str, ids: list[int]) -> Sentence:
        pieces = tuple(self.tokenizer.convert_ids_to_tokens(ids))
        return Sentence(text=text, ids=tuple(ids), pieces=pieces, word_index=(-1,) * len(ids))

    def embed_target(self, targets: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Embeddings of the decoder's input before each target piece, as `decode` takes them.

        Args:
            targets: Target pieces with a final `</s>`.

        Returns:
            At position t the embedding of piece t - 1, at position 0 that of the start; scaled, without positions.
        """
        table = self.decoder.get_input_embeddings()
        return table(self._decoder_inputs(targets)[:, self._skipped :]) * self._decoder_scale

    def decode(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        *,
        inputs: Float[Tensor, "B T D"] | None = None,
        with_layers: bool = False,
    ) -> Decoded:
        """Decoder states under teacher forcing: the decoder reads `targets` in place of its own output.

        Args:
            encoded: Final states of the encoder.
            mask: False on padding of the source.
            targets: Target pieces with a final `</s>`, padded on the right with any piece.
            inputs: Replacement for `embed_target(targets)`; None: no replacement.
            with_layers: Whether to return every layer's output and cross-attention, too.

        Returns:
            States from which `logits` computes the scores of each target piece.
        """
        if not with_layers:
            return Decoded(self._decoder_states(encoded, mask, targets, inputs))
        stack = list(self._decoder_stack.layers)
        # Not `output_attentions`: transformers would leave hooks of its own in the model.
        attention = [layer.get_submodule(self.layout.cross_attention.weights) for layer in stack]
        with eager_attention(self.model), capture(stack) as layers, capture(attention, item=-1) as weights:
            states = self._decoder_states(encoded, mask, targets, inputs)
        return Decoded(
            states=states,
            layers=tuple(layer[:, self._skipped :] for layer in layers),
            cross_attentions=tuple(weight[:, :, self._skipped :] for weight in weights),
        )

    def _decoder_states(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        inputs: Float[Tensor, "B T D"] | None,
    ) -> Float[Tensor, "B T D"]:
        with nullcontext() if inputs is None else self._replaced_inputs(inputs):
            return self.decoder(
                input_ids=self._decoder_inputs(targets),
                encoder_hidden_states=encoded,
                encoder_attention_mask=mask.long(),
                use_cache=False,
            ).last_hidden_state[:, self._skipped :]

    def _decoder_inputs(self, targets: Int[Tensor, "B T"]) -> Int[Tensor, "B _"]:
        prefix = targets.new_tensor(self._decoder_prefix).expand(len(targets), -1)
        return torch.cat([prefix, targets[:, :-1]], dim=1)

    def _replaced_inputs(self, inputs: Float[Tensor, "B T D"]) -> AbstractContextManager[None]:
        """Replaces the decoder's own embeddings by `inputs`, except those of the skipped pieces."""
        unscaled, skipped = inputs / self._decoder_scale, self._skipped
        return edit(self.decoder.get_input_embeddings(), lambda own: torch.cat([own[:, :skipped], unscaled], dim=1))

    @property
    def _decoder_scale(self) -> float:
        scale = self.layout.embedding_scale
        return 1.0 if scale is None else getattr(self.decoder, scale)

    @property
    def _skipped(self) -> int:
        """Number of pieces that the decoder reads before the start of the first target piece."""
        return len(self._decoder_prefix) - 1

    def decoder_blocks(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        *,
        inputs: Float[Tensor, "B T D"] | None = None,
    ) -> tuple[tuple[MixingBlock, AttentionBlock], ...]:
        """Self-attention (or the SSRU in its place) and cross-attention of each decoder layer as linear maps.

        Args:
            encoded: As in `decode`.
            mask: As in `decode`.
            targets: As in `decode`.
            inputs: As in `decode`.

        Returns:
            Two blocks per layer, over the whole input of the decoder: if it starts with several pieces (`</s>` and a
            language), all but the last of them precede the T positions of the targets.
        """
        own = self.layout.recurrence or self.layout.self_attention
        places = [(layer, kind) for layer in self._decoder_stack.layers for kind in (own, self.layout.cross_attention)]
        blocks = read_blocks(self.model, places, lambda: self.decode(encoded, mask, targets, inputs=inputs))
        return cast(tuple[tuple[MixingBlock, AttentionBlock], ...], tuple(zip(blocks[::2], blocks[1::2], strict=True)))

    def logits(
        self, states: Float[Tensor, "*B D"], candidates: Int[Tensor, " K"] | None = None
    ) -> Float[Tensor, "*B K"]:
        """Output scores from decoder states.

        Args:
            states: States returned by `decode`.
            candidates: Pieces to score; None: the whole vocabulary.

        Returns:
            Unnormalised log-probabilities in nats.
        """
        weight = self.model.get_output_embeddings().weight
        bias = getattr(self.model, self.layout.output_bias)[0] if self.layout.output_bias else None
        if self.layout.head_scaled_if and getattr(self.model.config, self.layout.head_scaled_if):
            states = states * self.model.config.d_model**-0.5
        if candidates is not None:
            weight = weight[candidates]
            bias = bias if bias is None else bias[candidates]
        return torch.nn.functional.linear(states, weight, bias)

    @torch.inference_mode()
    def translate(self, batch: TokenBatch, *, beams: int = 1) -> list[Sentence]:
        """The model's own translation of each sentence.

        Args:
            batch: Sources.
            beams: Beam size; 1: greedy search.

        Returns:
            Translations in the batch's order, with a final `</s>`; at most 16 pieces longer than twice the source.
        """
        encoded = self.encode(self.embed(batch.ids), batch.mask)
        limits = (2 * batch.mask.sum(1) + 16).clamp(max=self.max_target_pieces)
        prefix, eos_id = self._decoder_prefix, self.eos_id
        rows = generate(self.model, encoded, batch.mask, limits, prefix=prefix, eos_id=eos_id, beams=beams)
        return [self._generated(row) for row in rows]

    def _generated(self, row: list[int]) -> Sentence:
        ids = row[: row.index(self.eos_id)]
        text = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return self._target(str(text), [*ids, self.eos_id])
