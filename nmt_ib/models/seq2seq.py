"""TranslationModel over any Hugging Face encoder-decoder of the layouts table."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_outputs import BaseModelOutput

from nmt_ib.errors import RequestError
from nmt_ib.models.hooks import capture, edit, without_layers
from nmt_ib.models.layouts import seq2seq_layout
from nmt_ib.models.subwords import assign_words, read_pieces
from nmt_ib.models.words import WordSplitter
from nmt_ib.types import Decoded, Sentence, TokenBatch

UNBOUNDED_POSITIONS = 512  # where neither model nor tokenizer names a longest input (T5)


class Seq2SeqModel:
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
        self.encoder_layers = len(getattr(self.encoder, self.layout.layers))
        self.decoder_layers = len(getattr(self.decoder, self.layout.layers))
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
        self._decoder_prefix = self._set_languages(source_language, target_language)
        self.max_target_pieces = self.max_source_pieces - len(self._decoder_prefix) + 1
        self._before, self._after = self._special_pieces()
        self._before = self._target_code(target_language) + self._before
        self._splitter = WordSplitter(self.source_language)

    def _set_languages(self, source: str | None, target: str | None) -> list[int]:
        start = self.model.config.decoder_start_token_id
        if not self.layout.languages:
            forced = self.model.generation_config.forced_bos_token_id
            return [start] if forced is None else [start, forced]
        if not source or not target:
            raise RequestError(
                f"{self.name} needs source_language and target_language (--source-language, --target-language), "
                "named as its tokenizer names them: en and pt for M2M100, eng_Latn and por_Latn for NLLB, "
                "en_XX and pt_XX for mBART"
            )
        self._language_id(source)
        language = self._language_id(target)
        self.tokenizer.src_lang, self.tokenizer.tgt_lang = source, target
        neutral = (self.tokenizer.eos_token_id, self.tokenizer.bos_token_id, self.pad_id)
        return [start, language] if start in neutral else [language]

    def _language_id(self, language: str) -> int:
        # Words can have pieces of the same name: M2M100 has the piece "en" beside the language "en".
        if language in self.tokenizer.all_special_tokens:
            return cast(int, self.tokenizer.convert_tokens_to_ids(language))
        codes = getattr(self.tokenizer, "lang_code_to_id", {})
        if language not in codes:
            raise RequestError(f"{self.name}: its tokenizer does not know the language {language!r}")
        return codes[language]

    def _special_pieces(self) -> tuple[list[int], list[int]]:
        encoding = self.tokenizer("a", return_special_tokens_mask=True)
        special = encoding["special_tokens_mask"]
        first, last = special.index(0), len(special) - special[::-1].index(0)
        return encoding["input_ids"][:first], encoding["input_ids"][last:]

    def _target_code(self, target: str | None) -> list[int]:
        """The piece that tells a Marian model of several target languages which one to write."""
        codes = getattr(self.tokenizer, "supported_language_codes", [])
        if len(codes) < 2:
            return []
        if f">>{target}<<" not in codes:
            raise RequestError(
                f"{self.name} writes several languages: pass target_language (--target-language), one of "
                f"{', '.join(code[2:-2] for code in codes)}; given: {target}"
            )
        return [cast(int, self.tokenizer.convert_tokens_to_ids(f">>{target}<<"))]

    @property
    def words_by(self) -> str:
        """What splits sources into words, for the run's signature."""
        return self._splitter.name

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all weights and of the settings that change an input."""
        digest = hashlib.sha256(repr((self.text_prefix, self._before, self._after, self._decoder_prefix)).encode())
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
        return digest.hexdigest()[:16]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.device

    def tokenize_source(self, text: str) -> Sentence:
        """Pieces and words of one source sentence; a task prefix and language codes count as special.

        Args:
            text: The sentence; what looks like a special piece in it is read as text.

        Returns:
            The sentence, with character spans into `text`.
        """
        offset = len(self.text_prefix)
        pieces = read_pieces(self.tokenizer, self.text_prefix + text)
        lead = sum(piece.start < offset for piece in pieces)
        spans = [(piece.start - offset, piece.end - offset) for piece in pieces[lead:]]
        words, index = assign_words(text, spans, self._splitter.split(text))
        before = [*self._before, *(piece.id for piece in pieces[:lead])]
        ids = (*before, *(piece.id for piece in pieces[lead:]), *self._after)
        head, tail = len(before), len(self._after)
        return Sentence(
            text=text,
            ids=ids,
            pieces=tuple(self.tokenizer.convert_ids_to_tokens(list(ids))),
            word_index=(-1,) * head + (index or (-1,) * len(spans)) + (-1,) * tail,
            spans=((0, 0),) * head + tuple(spans) + ((0, 0),) * tail,
            words=words,
        )

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

    def pad(self, sentences: Sequence[Sentence]) -> TokenBatch:
        """A padded batch on the model's device.

        Args:
            sentences: At least one.

        Returns:
            The batch.
        """
        return TokenBatch.pad(sentences, self.pad_id, self.device)

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
        self, states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"], from_layer: int = 0
    ) -> Float[Tensor, "B S D"]:
        """The encoder's last states, as the decoder reads them.

        Args:
            states: Embeddings (`from_layer` 0), or what stands in for the output of layer `from_layer`.
            mask: False on padding.
            from_layer: 0 to the number of encoder layers.

        Returns:
            The last states, after the final norm where the architecture has one.
        """
        mask = mask.long()
        if from_layer == 0:
            return self.encoder(inputs_embeds=states, attention_mask=mask).last_hidden_state
        first = getattr(self.encoder, self.layout.layers)[0]
        # The first layer always runs, its output is replaced: T5 makes the position bias of all layers there.
        with without_layers(self.encoder, self.layout.layers, 1, from_layer), edit(first, lambda _: states):
            return self.encoder(inputs_embeds=states, attention_mask=mask).last_hidden_state

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
        with capture(list(getattr(self.encoder, self.layout.layers))) as layers:
            self.encode(embeddings, mask)
        return tuple(layers)

    def decode(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        *,
        with_layers: bool = False,
    ) -> Decoded:
        """Decoder states while it is forced to write `targets`.

        Args:
            encoded: Last states of the encoder.
            mask: False on padding of the source.
            targets: Target pieces, `</s>` at their end, padded on the right with anything.
            with_layers: Whether to return every layer's output and cross-attention, too.

        Returns:
            States of which `logits` makes the scores of each target piece.
        """
        prefix = targets.new_tensor(self._decoder_prefix).expand(len(targets), -1)
        inputs = {
            "input_ids": torch.cat([prefix, targets[:, :-1]], dim=1),
            "encoder_hidden_states": encoded,
            "encoder_attention_mask": mask.long(),
            "use_cache": False,
        }
        skip = prefix.shape[1] - 1
        if not with_layers:
            return Decoded(self.decoder(**inputs).last_hidden_state[:, skip:])
        stack = list(getattr(self.decoder, self.layout.layers))
        # Not `output_attentions`: transformers would leave hooks of its own in the model.
        attention = [layer.get_submodule(self.layout.cross_attention) for layer in stack]
        with _eager_attention(self.model), capture(stack) as layers, capture(attention, item=-1) as weights:
            output = self.decoder(**inputs)
        return Decoded(
            states=output.last_hidden_state[:, skip:],
            layers=tuple(layer[:, skip:] for layer in layers),
            cross_attentions=tuple(weight[:, :, skip:] for weight in weights),
        )

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
        limits = (2 * batch.mask.sum(1) + 16).clamp(max=self.max_target_pieces)
        start, *forced = self._decoder_prefix
        forced_ends = _EndAtLimit(limits + len(self._decoder_prefix), self.eos_id, beams)
        generated = self.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=self.encode(self.embed(batch.ids), batch.mask)),
            attention_mask=batch.mask.long(),
            decoder_input_ids=torch.full((len(limits), 1), start, device=self.device),
            num_beams=beams,
            do_sample=False,
            max_new_tokens=int(limits.max()) + len(forced),
            # Forced, not given: the published models' beams are ranked by a length that counts this piece.
            forced_bos_token_id=forced[0] if forced else None,
            forced_eos_token_id=None,
            logits_processor=LogitsProcessorList([forced_ends]),
        )
        return [self._generated(row) for row in generated[:, len(self._decoder_prefix) :].tolist()]

    def _generated(self, row: list[int]) -> Sentence:
        ids = row[: row.index(self.eos_id)]
        text = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return self._target(str(text), [*ids, self.eos_id])


class _EndAtLimit(LogitsProcessor):
    """Forces `</s>` where a sentence reaches its own limit: generate knows one limit for the whole batch only."""

    def __init__(self, lengths: Int[Tensor, " B"], eos_id: int, beams: int) -> None:
        self.lengths = lengths.repeat_interleave(beams)
        self.eos_id = eos_id

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        at_limit = self.lengths <= input_ids.shape[1] + 1
        if not at_limit.any():
            return scores
        only_end = torch.full_like(scores, -torch.inf)
        only_end[:, self.eos_id] = 0
        return torch.where(at_limit[:, None], only_end, scores)


@contextmanager
def _eager_attention(model: PreTrainedModel) -> Iterator[None]:
    """Only eager attention returns its weights; the model's own way comes back afterwards."""
    before = model.config._attn_implementation  # noqa: SLF001 - transformers has a setter, but no public getter
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
