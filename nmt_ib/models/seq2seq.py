"""TranslationModel over any Hugging Face encoder-decoder of the layouts table."""

from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt_ib.errors import RequestError
from nmt_ib.models.attention_blocks import eager_attention, read_blocks
from nmt_ib.models.fingerprints import fingerprint_of
from nmt_ib.models.generation import generate
from nmt_ib.models.hooks import capture, edit
from nmt_ib.models.languages import decoder_prefix, target_code
from nmt_ib.models.layouts import seq2seq_layout
from nmt_ib.models.sources import SourceReader, special_pieces
from nmt_ib.models.stack import LayerStack
from nmt_ib.models.subwords import read_pieces
from nmt_ib.models.words import WordSplitter
from nmt_ib.types import AttentionBlock, Decoded, MixingBlock, Sentence, TokenBatch

UNBOUNDED_POSITIONS = 512  # where neither model nor tokenizer names a longest input (T5)


class Seq2SeqModel(SourceReader):
    """A translation model whose encoder can be entered at any layer and whose decoder can be forced.

    Args:
        model: Marian (self-attention or SSRU), BART, mBART, M2M100 or NLLB, T5 or mT5.
        tokenizer: Its tokenizer.
        name: What the user called it.
        source_language: Language of the sources as the tokenizer names it; needed by mBART, M2M100 and NLLB.
        target_language: Language of the targets; needed by the same, and by Marian models of several target languages.
        prefix: Text put before each source; T5 needs it ("translate English to German: "), "" for none.

    Raises:
        RequestError: The architecture is unknown, or a setting is missing or unknown to the tokenizer.
    """

    model: PreTrainedModel

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
        self.name = name
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.layout = seq2seq_layout(model.config)
        self.encoder, self.decoder = model.get_encoder(), model.get_decoder()
        self._encoder_stack = LayerStack(self.encoder, self.layout.layers)
        self._decoder_stack = LayerStack(self.decoder, self.layout.layers)
        self.encoder_layers, self.decoder_layers = len(self._encoder_stack.layers), len(self._decoder_stack.layers)
        longest = getattr(model.config, "max_position_embeddings", None) or UNBOUNDED_POSITIONS
        self.max_source_pieces = min(longest, tokenizer.model_max_length)
        self.pad_id = model.config.pad_token_id
        self.unknown_id = tokenizer.unk_token_id
        self.eos_id = tokenizer.eos_token_id
        if self.layout.prefix and prefix is None:
            raise RequestError(
                f"{name} reads its task from a prefix: pass prefix (--prefix), for example "
                '"translate English to German: ", or "" for none'
            )
        self.text_prefix = prefix or ""
        self.source_language = source_language or getattr(tokenizer, "source_lang", None)
        self._decoder_prefix = decoder_prefix(
            model, tokenizer, self.layout, name=name, source=source_language, target=target_language
        )
        self.max_target_pieces = self.max_source_pieces - len(self._decoder_prefix) + 1
        before, after = special_pieces(tokenizer)
        self._around = (target_code(tokenizer, name, target_language) + before, after)
        self._splitter = WordSplitter(self.source_language)

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all weights and of the settings that change an input."""
        return fingerprint_of(self.model, (self.text_prefix, *self._around, self._decoder_prefix))

    @property
    def parts(self) -> tuple[tuple[str, torch.nn.Module], ...]:
        """What holds the weights, by name, from the output to the embeddings; the last is all that is left."""
        output, table = self.model.get_output_embeddings(), self.decoder.get_input_embeddings()
        head = [] if output.weight is table.weight else [("output", output)]
        stacks = [("encoder", self._encoder_stack), ("decoder", self._decoder_stack)]
        layers = [
            (f"{name} {number}", layer) for name, stack in stacks for number, layer in enumerate(stack.layers, start=1)
        ]
        return (*head, *reversed(layers), ("embeddings", self.model))

    def tokenize_target(self, text: str) -> Sentence:
        """Pieces of one target sentence, `</s>` at the end.

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

    def embed(self, ids: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """Input embeddings, scaled as the model scales them, before positions are added.

        Args:
            ids: Piece ids.

        Returns:
            What `encode` reads at layer 0.
        """
        return self.encoder.get_input_embeddings()(ids) * self._embedding_scale

    def embedding_table(self) -> Float[Tensor, "V D"]:
        """Embeddings of the whole source vocabulary, scaled as `embed` scales them."""
        size = self.encoder.get_input_embeddings().num_embeddings
        return self.embed(torch.arange(size, device=self.device)[None])[0]

    @property
    def _embedding_scale(self) -> float:
        scale = self.layout.embedding_scale
        return 1.0 if scale is None else getattr(self.encoder, scale)

    def encode(
        self,
        states: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        from_layer: int = 0,
        to_layer: int | None = None,
    ) -> Float[Tensor, "B S D"]:
        """The encoder's last states, as the decoder reads them, or the output of one of its layers.

        Args:
            states: Embeddings (`from_layer` 0), or what stands in for the output of layer `from_layer`.
            mask: False on padding.
            from_layer: 0 to the number of encoder layers.
            to_layer: Last layer to run; None: all, and the final norm where the architecture has one.

        Returns:
            States of every position.
        """

        def forward() -> Tensor:
            return self.encoder(inputs_embeds=states, attention_mask=mask.long()).last_hidden_state

        return self._encoder_stack.run(forward, states, from_layer, to_layer)

    def encoder_states(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S D"], ...]:
        """Output of every encoder layer, before any final norm.

        Args:
            embeddings: What `embed` gave.
            mask: False on padding.

        Returns:
            One tensor a layer; `encode(states[l - 1], mask, from_layer=l)` goes on from layer l.
        """
        return self._encoder_stack.states(lambda: self.encode(embeddings, mask))

    def encoder_blocks(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[AttentionBlock, ...]:
        """What the self-attention of each encoder layer did.

        Args:
            embeddings: What `embed` gave.
            mask: False on padding.

        Returns:
            One block a layer.
        """
        places = [(layer, self.layout.self_attention) for layer in self._encoder_stack.layers]
        blocks = read_blocks(self.model, places, lambda: self.encode(embeddings, mask))
        return cast(tuple[AttentionBlock, ...], blocks)

    def embed_target(self, targets: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Embeddings of what the decoder reads before each target piece, as `decode` takes them.

        Args:
            targets: Target pieces, `</s>` at their end.

        Returns:
            At position t the embedding of piece t - 1, at position 0 that of the start; scaled, without positions.
        """
        table = self.decoder.get_input_embeddings()
        return table(self._decoder_inputs(targets)[:, len(self._decoder_prefix) - 1 :]) * self._decoder_scale

    def _decoder_inputs(self, targets: Tensor) -> Tensor:
        prefix = targets.new_tensor(self._decoder_prefix).expand(len(targets), -1)
        return torch.cat([prefix, targets[:, :-1]], dim=1)

    @property
    def _decoder_scale(self) -> float:
        scale = self.layout.embedding_scale
        return 1.0 if scale is None else getattr(self.decoder, scale)

    def decode(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        *,
        inputs: Float[Tensor, "B T D"] | None = None,
        with_layers: bool = False,
    ) -> Decoded:
        """Decoder states while it is forced to write `targets`.

        Args:
            encoded: Last states of the encoder.
            mask: False on padding of the source.
            targets: Target pieces, `</s>` at their end, padded on the right with anything.
            inputs: What stands in for `embed_target(targets)`; None: just that.
            with_layers: Whether to return every layer's output and cross-attention, too.

        Returns:
            States of which `logits` makes the scores of each target piece.
        """
        skip = len(self._decoder_prefix) - 1

        def run() -> Tensor:
            with self._decoder_reads(inputs, skip):
                return self.decoder(
                    input_ids=self._decoder_inputs(targets),
                    encoder_hidden_states=encoded,
                    encoder_attention_mask=mask.long(),
                    use_cache=False,
                ).last_hidden_state[:, skip:]

        if not with_layers:
            return Decoded(run())
        stack = list(self._decoder_stack.layers)
        # Not `output_attentions`: transformers would leave hooks of its own in the model.
        attention = [layer.get_submodule(self.layout.cross_attention.weights) for layer in stack]
        with eager_attention(self.model), capture(stack) as layers, capture(attention, item=-1) as weights:
            states = run()
        return Decoded(
            states=states,
            layers=tuple(layer[:, skip:] for layer in layers),
            cross_attentions=tuple(weight[:, :, skip:] for weight in weights),
        )

    def decoder_blocks(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        *,
        inputs: Float[Tensor, "B T D"] | None = None,
    ) -> tuple[tuple[MixingBlock, AttentionBlock], ...]:
        """What self-attention, or the SSRU in its place, and cross-attention of each decoder layer did.

        Args:
            encoded: As `decode` takes them.
            mask: As `decode` takes it.
            targets: As `decode` takes them.
            inputs: As `decode` takes them.

        Returns:
            Two blocks a layer, over all that the decoder reads: where it starts with several pieces (a language
            after `</s>`), all but the last of them stand before the T positions of the targets.
        """
        own = self.layout.recurrence or self.layout.self_attention
        places = [(layer, kind) for layer in self._decoder_stack.layers for kind in (own, self.layout.cross_attention)]
        blocks = read_blocks(self.model, places, lambda: self.decode(encoded, mask, targets, inputs=inputs))
        return cast(tuple[tuple[MixingBlock, AttentionBlock], ...], tuple(zip(blocks[::2], blocks[1::2], strict=True)))

    def _decoder_reads(self, inputs: Tensor | None, skip: int) -> AbstractContextManager[None]:
        """Puts `inputs` in the place of the decoder's own embeddings, but for those of the first `skip` pieces."""
        if inputs is None:
            return nullcontext()
        unscaled = inputs / self._decoder_scale
        return edit(self.decoder.get_input_embeddings(), lambda own: torch.cat([own[:, :skip], unscaled], dim=1))

    def logits(
        self, states: Float[Tensor, "*B D"], candidates: Int[Tensor, " K"] | None = None
    ) -> Float[Tensor, "*B K"]:
        """Output scores from decoder states.

        Args:
            states: What `decode` gave.
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
            beams: 1: greedy.

        Returns:
            Targets in the batch's order, `</s>` at their end. A translation that would not end is cut at
            twice the length of its source and 16 pieces more.
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
