"""Classifier over any torch module with an embedding and named layers."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from nmt_ib.errors import RequestError
from nmt_ib.models.fingerprints import fingerprint_of
from nmt_ib.models.hooks import capture, capture_input, edit
from nmt_ib.models.sources import SourceReader, special_pieces
from nmt_ib.models.words import WordSplitter

UNBOUNDED_POSITIONS = 512


class ModuleClassifier(SourceReader):
    """A sentence classifier from any torch module, whose forward pass can start and stop at any named layer.

    The module is called as `module(ids, mask)`, mask false on padding, and returns unnormalised log-probabilities
    (B, K). Its embedding and each of its layers run once per call and return (B, S, D), alone or as the first item of
    a tuple, like an LSTM; D may differ between layers. The module itself must ensure that padding does not affect
    results (pack the input of an LSTM, set padding to 0 before a convolution, mask the pooling), and no later module
    may use anything else of a layer's output than that tensor: not the last state of an LSTM, for example.

    Layer 0 is the output of the embedding. The whole module runs even if only some layers are requested.

    Args:
        module: The classifier.
        tokenizer: Any fast Hugging Face tokenizer with a padding and an unknown piece, such as `word_tokenizer` builds.
        embedding: Dotted name of the embedding in `module`.
        layers: Dotted names of the layers, in the order in which they run.
        output: Dotted name of the output layer; its input, (B, D), is the pooled state.
        labels: Names of the classes.
        name: Name that the user gave.
        source_language: Language of the sentences (`en`), for word segmentation; None: any.

    Raises:
        RequestError: The module has no part of one of these names, or does not behave as described.
    """

    def __init__(
        self,
        module: nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        *,
        embedding: str,
        layers: Sequence[str],
        output: str,
        labels: Sequence[str],
        name: str,
        source_language: str | None = None,
    ) -> None:
        self.name = name
        self.model = module.eval()
        self.tokenizer = tokenizer
        self._embedding, *self._layers, self._output = (self._part(part) for part in (embedding, *layers, output))
        self._names = (embedding, *layers, output)
        self.encoder_layers = len(self._layers)
        bounded = tokenizer.model_max_length < 10**9  # 10^30 stands for no bound
        self.max_source_pieces = tokenizer.model_max_length if bounded else UNBOUNDED_POSITIONS
        if tokenizer.pad_token_id is None or tokenizer.unk_token_id is None:
            raise RequestError(f"{name}: the tokenizer needs a padding and an unknown piece (pad_token, unk_token)")
        self.pad_id = tokenizer.pad_token_id
        self.unknown_id = tokenizer.unk_token_id
        self.mask_id = tokenizer.mask_token_id
        self.labels = tuple(labels)
        self._around = special_pieces(tokenizer)
        self._splitter = WordSplitter(source_language)
        self._check_shapes()

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all weights and of the settings that change an input."""
        return fingerprint_of(self.model, (self._around, self._names))

    @property
    def parts(self) -> tuple[tuple[str, nn.Module], ...]:
        """Modules that hold the weights, by name, from the output to the embeddings; the last holds all the rest."""
        embedding, *above = self._names
        return (*((name, self.model.get_submodule(name)) for name in reversed(above)), (embedding, self.model))

    def embed(self, ids: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """Output of the embedding.

        Args:
            ids: Piece ids.

        Returns:
            The input of `encode` at layer 0.
        """
        output = self._embedding(ids)
        return output if isinstance(output, Tensor) else output[0]

    def encode(
        self,
        states: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        from_layer: int = 0,
        to_layer: int | None = None,
    ) -> Float[Tensor, "B S D2"]:
        """The output of the last layer, or of an earlier one.

        Args:
            states: Embeddings (`from_layer` 0), or a replacement for the output of layer `from_layer`.
            mask: False on padding.
            from_layer: 0 to the number of layers.
            to_layer: Last layer to run; None: all.

        Returns:
            States of all positions.

        Raises:
            RequestError: There are no such layers, or `to_layer` is lower than `from_layer`.
        """
        last = self.encoder_layers if to_layer is None else to_layer
        if not 0 <= from_layer <= last <= self.encoder_layers:
            raise RequestError(f"cannot run from layer {from_layer} to layer {last} of {self.encoder_layers} layers")
        if last == from_layer:
            return states
        with capture([self._layers[last - 1]]) as outputs:
            self.classify(states, mask, from_layer)
        return outputs[-1]

    def encoder_states(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S _"], ...]:
        """Output of every layer.

        Args:
            embeddings: Output of `embed`.
            mask: False on padding.

        Returns:
            One tensor per layer; `encode(states[l - 1], mask, from_layer=l)` continues from layer l.
        """
        with capture(self._layers) as outputs:
            self.classify(embeddings, mask)
        return tuple(outputs)

    def classify(
        self, states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"], from_layer: int = 0
    ) -> Float[Tensor, "B K"]:
        """Unnormalised log-probabilities of the classes, in nats.

        Args:
            states: Embeddings (`from_layer` 0), or a replacement for the output of layer `from_layer`.
            mask: False on padding.
            from_layer: 0 to the number of layers.

        Returns:
            One score per class.
        """
        replaced = self._layers[from_layer - 1] if from_layer else self._embedding
        ids = torch.full(mask.shape, self.unknown_id, device=mask.device)  # not used: `states` replace them
        # cuDNN's LSTM has no backward pass in evaluation mode.
        with edit(replaced, lambda _: states), torch.backends.cudnn.flags(enabled=False):
            return self.model(ids, mask)

    def pooled(
        self, states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"], from_layer: int = 0
    ) -> Float[Tensor, "B D2"]:
        """The sentence representation that the output layer reads.

        Args:
            states: As in `classify`.
            mask: False on padding.
            from_layer: 0 to the number of layers.

        Returns:
            One vector per sentence.
        """
        with capture_input(self._output) as inputs:
            self.classify(states, mask, from_layer)
        return inputs[-1]

    def _part(self, part: str) -> nn.Module:
        try:
            return self.model.get_submodule(part)
        except AttributeError as error:
            known = ", ".join(name for name, _ in self.model.named_modules() if name)
            raise RequestError(f"{self.name}: the module has no part {part!r}; it has {known}") from error

    @torch.no_grad()
    def _check_shapes(self) -> None:
        """Runs the module on one sentence of two positions."""
        ids = torch.full((1, 2), self.unknown_id, device=self.device)
        order: list[Tensor] = []
        with ExitStack() as hooks:
            each = [hooks.enter_context(capture([layer])) for layer in (self._embedding, *self._layers)]
            order = hooks.enter_context(capture([self._embedding, *self._layers]))
            inputs = hooks.enter_context(capture_input(self._output))
            logits = self.model(ids, torch.ones_like(ids, dtype=torch.bool))
        for part, outputs in zip(self._names[:-1], each, strict=True):
            shapes = [tuple(output.shape) for output in outputs]
            if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][:2] != (1, 2):
                raise RequestError(
                    f"{self.name}: {part} must run once and return (B, S, D); for (1, 2) it returned {shapes}"
                )
        if any(first is not outputs[0] for first, outputs in zip(order, each, strict=True)):
            raise RequestError(f"{self.name}: the layers do not run in the order {', '.join(self._names[1:-1])}")
        if [(state.is_floating_point(), *state.shape[:-1]) for state in inputs] != [(True, 1)]:
            raise RequestError(f"{self.name}: {self._names[-1]} must run once, on an input of shape (B, D)")
        if tuple(logits.shape) != (1, len(self.labels)):
            raise RequestError(f"{self.name}: {len(self.labels)} labels, but scores of shape {tuple(logits.shape)}")
