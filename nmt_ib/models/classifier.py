"""Classifier over any Hugging Face sequence classifier of the layouts table."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt_ib.errors import RequestError
from nmt_ib.models.encoder import HuggingFaceEncoder
from nmt_ib.models.hooks import capture_input
from nmt_ib.models.layouts import encoder_layout


class HuggingFaceClassifier(HuggingFaceEncoder):
    """A BERT-like sequence classifier whose forward pass can start at any layer.

    Args:
        model: As `HuggingFaceEncoder` takes it, with a sequence classifier.
        tokenizer: Its fast tokenizer.
        name: Name that the user gave.
        source_language: Language of the sentences (`en`), for word segmentation; None: any.

    Attributes:
        labels: Names of the classes, in the order of their scores.

    Raises:
        RequestError: The architecture is not supported, or the model is not a sequence classifier.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str,
        source_language: str | None = None,
    ) -> None:
        super().__init__(model, tokenizer, name=name, source_language=source_language)
        output = _output_layer(model)
        if output is None:
            raise RequestError(f"{name} is not a sequence classifier: it has no output layer with several classes")
        self._output = output
        self.labels = tuple(label for _, label in sorted((model.config.id2label or {}).items()))

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
        return self._stack.run(lambda: self._run(self.model, states, mask, from_layer).logits, states, from_layer)

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


def wrap_encoder(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, name: str, source_language: str | None = None
) -> HuggingFaceEncoder:
    """A `HuggingFaceClassifier` if the network is a sequence classifier, else a `HuggingFaceEncoder`.

    Args:
        model: The network.
        tokenizer: Its fast tokenizer.
        name: Name that the user gave.
        source_language: Language of the sentences (`en`), for word segmentation; None: any.

    Returns:
        The model.
    """
    kind = HuggingFaceEncoder if _output_layer(model) is None else HuggingFaceClassifier
    return kind(model, tokenizer, name=name, source_language=source_language)


def _output_layer(model: PreTrainedModel) -> torch.nn.Linear | None:
    """The layer that scores the classes; None for bare encoders and other heads (masked language model, regression)."""
    place = encoder_layout(model.config).output
    output = next((part for name, part in model.named_modules() if name == place), None)
    return output if isinstance(output, torch.nn.Linear) and output.out_features > 1 else None
