"""EncoderModel over any Hugging Face encoder of the layouts table."""

from functools import cached_property
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt_ib.blocks import AttentionBlock
from nmt_ib.models.attention_blocks import read_blocks
from nmt_ib.models.fingerprints import fingerprint_of
from nmt_ib.models.hooks import edit
from nmt_ib.models.layouts import encoder_layout
from nmt_ib.models.sources import SourceReader, special_pieces
from nmt_ib.models.stack import LayerStack
from nmt_ib.models.words import WordSplitter

UNBOUNDED_POSITIONS = 512


class HuggingFaceEncoder(SourceReader):
    """A BERT-like encoder whose forward pass can start and stop at any layer.

    Layer 0 is the input of the first layer: the normalised sum of word, position and segment embeddings, projected to
    the width of the layers where embeddings are narrower (ELECTRA).

    Args:
        model: BERT, RoBERTa, XLM-R, DistilBERT, ELECTRA or DeBERTa-v2, bare or with a head, which is not run.
        tokenizer: Its fast tokenizer.
        name: Name that the user gave.
        source_language: Language of the sentences (`en`), for word segmentation; None: any.

    Raises:
        RequestError: The architecture is not supported.
    """

    model: PreTrainedModel

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str,
        source_language: str | None = None,
    ) -> None:
        self.name = name
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.layout = encoder_layout(model.config)
        self._base = model.base_model
        self._embeddings = self._base.get_submodule(self.layout.embeddings)
        self._projection = getattr(self._base, self.layout.projection, None)
        self._stack = LayerStack(self._base.get_submodule(self.layout.stack), self.layout.layers)
        self.encoder_layers = len(self._stack.layers)
        positions = getattr(model.config, "max_position_embeddings", None) or UNBOUNDED_POSITIONS
        self.pad_id = model.config.pad_token_id
        unused = self.pad_id + 1 if self.layout.positions_after_padding else 0
        self.max_source_pieces = min(positions - unused, tokenizer.model_max_length)
        self.unknown_id = tokenizer.unk_token_id
        self.mask_id = tokenizer.mask_token_id
        self._around = special_pieces(tokenizer)
        self._splitter = WordSplitter(source_language)

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all weights and of the settings that change an input."""
        return fingerprint_of(self.model, self._around)

    @property
    def parts(self) -> tuple[tuple[str, torch.nn.Module], ...]:
        """Modules that hold the weights, by name, from the output to the embeddings; the last holds all the rest."""
        beside = {self.layout.embeddings, self.layout.stack, self.layout.projection}
        above = [] if self.model is self._base else list(self.model.named_children())
        above += [(name, part) for name, part in self._base.named_children() if name not in beside]
        heads = [(name, part) for name, part in above if part is not self._base and list(part.parameters())]
        layers = [(f"layer {number}", layer) for number, layer in enumerate(self._stack.layers, start=1)]
        return (*heads, *reversed(layers), ("embeddings", self.model))

    def embed(self, ids: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """The input of the first layer.

        Args:
            ids: Piece ids.

        Returns:
            The normalised sum of word, position and segment embeddings: the input of `encode` at layer 0.
        """
        embeddings = self._embeddings(input_ids=ids)
        return embeddings if self._projection is None else self._projection(embeddings)

    def encode(
        self,
        states: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        from_layer: int = 0,
        to_layer: int | None = None,
    ) -> Float[Tensor, "B S D"]:
        """The final states, or the output of one layer.

        Args:
            states: Embeddings (`from_layer` 0), or a replacement for the output of layer `from_layer`.
            mask: False on padding.
            from_layer: 0 to the number of layers.
            to_layer: Last layer to run; None: all.

        Returns:
            States of all positions.
        """
        return self._stack.run(
            lambda: self._run(self._base, states, mask, from_layer).last_hidden_state, states, from_layer, to_layer
        )

    def encoder_states(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S D"], ...]:
        """Output of every layer.

        Args:
            embeddings: Output of `embed`.
            mask: False on padding.

        Returns:
            One tensor per layer; `encode(states[l - 1], mask, from_layer=l)` continues from layer l.
        """
        return self._stack.states(lambda: self.encode(embeddings, mask))

    def encoder_blocks(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[AttentionBlock, ...]:
        """The self-attention of each layer as a linear map.

        Args:
            embeddings: Output of `embed`.
            mask: False on padding.

        Returns:
            One block per layer.
        """
        places = [(layer, self.layout.attention) for layer in self._stack.layers]
        blocks = read_blocks(self.model, places, lambda: self.encode(embeddings, mask))
        return cast(tuple[AttentionBlock, ...], blocks)

    def _run(self, model: torch.nn.Module, states: Tensor, mask: Tensor, from_layer: int) -> Any:
        ids = torch.full(mask.shape, self.unknown_id, device=mask.device)
        if from_layer:  # the embeddings are not used: the first layer's output is replaced
            return model(input_ids=ids, attention_mask=mask.long())
        with edit(self._embeddings if self._projection is None else self._projection, lambda _: states):
            return model(input_ids=ids, attention_mask=mask.long())
