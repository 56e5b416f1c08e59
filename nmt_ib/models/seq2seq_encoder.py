"""EncoderModel over the encoder of any Hugging Face encoder-decoder of the layouts table."""

from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt_ib.blocks import AttentionBlock
from nmt_ib.errors import RequestError
from nmt_ib.models.attention_blocks import read_blocks
from nmt_ib.models.languages import set_languages_, target_code
from nmt_ib.models.layouts import seq2seq_layout
from nmt_ib.models.sources import SourceReader, special_pieces
from nmt_ib.models.stack import LayerStack
from nmt_ib.models.words import WordSplitter

UNBOUNDED_POSITIONS = 512  # where neither model nor tokenizer sets a maximum input length (T5)


class Seq2SeqEncoder(SourceReader):
    """The encoder of a translation model, whose forward pass can start and stop at any layer.

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
        self.encoder = model.get_encoder()
        self._encoder_stack = LayerStack(self.encoder, self.layout.layers)
        self.encoder_layers = len(self._encoder_stack.layers)
        positions = getattr(model.config, "max_position_embeddings", None) or UNBOUNDED_POSITIONS
        self.max_source_pieces = min(positions, tokenizer.model_max_length)
        self.pad_id = model.config.pad_token_id
        self.unknown_id = tokenizer.unk_token_id
        if self.layout.prefix and prefix is None:
            raise RequestError(
                f"{name} reads its task from a prefix: pass prefix (--prefix), for example "
                '"translate English to German: ", or "" for none'
            )
        self.text_prefix = prefix or ""
        self.source_language = source_language or getattr(tokenizer, "source_lang", None)
        if self.layout.languages:
            set_languages_(tokenizer, name, source_language, target_language)
        before, after = special_pieces(tokenizer)
        self._around = (target_code(tokenizer, name, target_language) + before, after)
        self._splitter = WordSplitter(self.source_language)

    def embed(self, ids: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """Input embeddings, scaled as the model scales them, before positions are added.

        Args:
            ids: Piece ids.

        Returns:
            The input of `encode` at layer 0.
        """
        scale = self.layout.embedding_scale
        return self.encoder.get_input_embeddings()(ids) * (1.0 if scale is None else getattr(self.encoder, scale))

    def embedding_table(self) -> Float[Tensor, "V D"]:
        """Embeddings of the whole source vocabulary, scaled as in `embed`."""
        size = self.encoder.get_input_embeddings().num_embeddings
        return self.embed(torch.arange(size, device=self.device)[None])[0]

    def encode(
        self,
        states: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        from_layer: int = 0,
        to_layer: int | None = None,
    ) -> Float[Tensor, "B S D"]:
        """The encoder's final states, as the decoder reads them, or the output of one of its layers.

        Args:
            states: Embeddings (`from_layer` 0), or a replacement for the output of layer `from_layer`.
            mask: False on padding.
            from_layer: 0 to the number of encoder layers.
            to_layer: Last layer to run; None: all, and the final norm if the architecture has one.

        Returns:
            States of all positions.
        """
        return self._encoder_stack.run(
            lambda: self.encoder(inputs_embeds=states, attention_mask=mask.long()).last_hidden_state,
            states,
            from_layer,
            to_layer,
        )

    def encoder_states(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S D"], ...]:
        """Output of every encoder layer, before any final norm.

        Args:
            embeddings: Output of `embed`.
            mask: False on padding.

        Returns:
            One tensor per layer; `encode(states[l - 1], mask, from_layer=l)` continues from layer l.
        """
        return self._encoder_stack.states(lambda: self.encode(embeddings, mask))

    def encoder_blocks(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[AttentionBlock, ...]:
        """The self-attention of each encoder layer as a linear map.

        Args:
            embeddings: Output of `embed`.
            mask: False on padding.

        Returns:
            One block per layer.
        """
        places = [(layer, self.layout.self_attention) for layer in self._encoder_stack.layers]
        blocks = read_blocks(self.model, places, lambda: self.encode(embeddings, mask))
        return cast(tuple[AttentionBlock, ...], blocks)
