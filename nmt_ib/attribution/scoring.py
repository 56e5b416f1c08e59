"""Log-probabilities that attributions explain: of a label, or of each token of a forced translation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.types import Sentence, Target, TokenBatch

Unknown = Bool[Tensor, "B _"] | None


@dataclass(frozen=True)
class TranslationScorer:
    """A padded batch of sources whose forced translations are scored.

    Attributes:
        model: The model.
        batch: Sources.
        targets: Their translations.
    """

    model: TranslationModel
    batch: TokenBatch
    targets: TokenBatch

    @property
    def target_mask(self) -> Bool[Tensor, "B T"]:
        """True where there is a target token, false on padding."""
        return self.targets.mask

    def rows(self, index: Int[Tensor, " R"]) -> "TranslationScorer":
        """The sentences `index`, which may repeat."""
        return TranslationScorer(self.model, self.batch.rows(index), self.targets.rows(index))

    def prefix_embeddings(self) -> Float[Tensor, "B T D"]:
        """Embeddings that the decoder reads before each target token."""
        return self.model.embed_target(self.targets.ids)

    def inputs(self, unknown_pieces: Unknown = None, unknown_tokens: Unknown = None) -> list[Float[Tensor, "B _ D"]]:
        """Embeddings that the model reads.

        Args:
            unknown_pieces: Source pieces that are replaced by the unknown piece.
            unknown_tokens: Target tokens that the decoder reads as the unknown piece.

        Returns:
            Embeddings of the sources, and of what the decoder reads before each target token.
        """
        sources = _replaced(self.model, self.batch, unknown_pieces)
        targets = _replaced(self.model, self.targets, unknown_tokens)
        return [self.model.embed(sources), self.model.embed_target(targets)]

    def logprobs(
        self, states: Float[Tensor, "B S D"], prefix: Float[Tensor, "B T D"] | None = None, *, from_layer: int = 0
    ) -> Float[Tensor, "B T"]:
        """Ln p(y_t | x, y_<t) of each target token.

        Args:
            states: Embeddings (`from_layer` 0), or a replacement for the output of encoder layer `from_layer`.
            prefix: A replacement for `prefix_embeddings()`; None: those.
            from_layer: 0 to the number of encoder layers.

        Returns:
            Nats, <= 0; 0 on padding.
        """
        return self.score(self.output_states(states, prefix, from_layer=from_layer))

    def output_states(
        self, states: Float[Tensor, "B S D"], prefix: Float[Tensor, "B T D"] | None = None, *, from_layer: int = 0
    ) -> Float[Tensor, "B T D"]:
        """The decoder states that the output layer reads.

        Args:
            states: See `logprobs`.
            prefix: See `logprobs`.
            from_layer: See `logprobs`.

        Returns:
            One state per target token.
        """
        encoded = self.model.encode(states, self.batch.mask, from_layer)
        return self.model.decode(encoded, self.batch.mask, self.targets.ids, inputs=prefix).states

    def score(self, output_states: Float[Tensor, "B T D"]) -> Float[Tensor, "B T"]:
        """Log-probability of each target token, in nats, which depends on its own output state alone."""
        logits = self.model.logits(output_states)
        logprobs = logits.gather(2, self.targets.ids[..., None])[..., 0] - logits.logsumexp(2)
        return logprobs * self.target_mask


@dataclass(frozen=True)
class LabelScorer:
    """A padded batch of sentences, of each of which one label is scored.

    Attributes:
        model: The model.
        batch: Sentences.
        labels: Number of the label of each sentence.
    """

    model: Classifier
    batch: TokenBatch
    labels: Int[Tensor, " B"]

    @property
    def target_mask(self) -> Bool[Tensor, "B 1"]:
        """All true: each sentence has one label."""
        return torch.ones_like(self.labels, dtype=torch.bool)[:, None]

    def rows(self, index: Int[Tensor, " R"]) -> "LabelScorer":
        """The sentences `index`, which may repeat."""
        return LabelScorer(self.model, self.batch.rows(index), self.labels[index])

    def prefix_embeddings(self) -> None:
        """None: a classifier reads no target."""
        return

    def inputs(self, unknown_pieces: Unknown = None, unknown_tokens: Unknown = None) -> list[Float[Tensor, "B _ D"]]:
        """Embeddings that the model reads.

        Args:
            unknown_pieces: Pieces that are replaced by the unknown piece.
            unknown_tokens: Not used.

        Returns:
            Embeddings of the sentences.
        """
        return [self.model.embed(_replaced(self.model, self.batch, unknown_pieces))]

    def logprobs(
        self, states: Float[Tensor, "B S D"], prefix: Tensor | None = None, *, from_layer: int = 0
    ) -> Float[Tensor, "B 1"]:
        """Ln p(label | x) of each sentence.

        Args:
            states: Embeddings (`from_layer` 0), or a replacement for the output of layer `from_layer`.
            prefix: Not used.
            from_layer: 0 to the number of layers.

        Returns:
            Nats, <= 0.
        """
        return self.score(self.output_states(states, prefix, from_layer=from_layer))

    def output_states(
        self, states: Float[Tensor, "B S D"], prefix: Tensor | None = None, *, from_layer: int = 0
    ) -> Float[Tensor, "B 1 K"]:
        """The logits of all labels.

        Args:
            states: See `logprobs`.
            prefix: Not used.
            from_layer: See `logprobs`.

        Returns:
            One vector per sentence.
        """
        return self.model.classify(states, self.batch.mask, from_layer)[:, None]

    def score(self, output_states: Float[Tensor, "B 1 K"]) -> Float[Tensor, "B 1"]:
        """Log-probability of each sentence's label, in nats."""
        return output_states.log_softmax(2).gather(2, self.labels[:, None, None])[..., 0]


Scorer = TranslationScorer | LabelScorer


def target_scorer(model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target]) -> Scorer:
    """Pads a batch of sentences and the targets to be scored.

    Args:
        model: A translation model or a classifier.
        sources: At least one sentence.
        targets: Tokenised translations, or numbers of labels.

    Returns:
        The scorer of these targets.

    Raises:
        RequestError: The model is neither a translation model nor a classifier.
    """
    batch = model.pad(sources)
    if isinstance(model, TranslationModel):
        return TranslationScorer(model, batch, model.pad(cast(Sequence[Sentence], targets)))
    if isinstance(model, Classifier):
        return LabelScorer(model, batch, torch.tensor(cast(Sequence[int], targets), device=batch.ids.device))
    raise RequestError(f"{model.name} gives no probabilities: this method needs a translation model or a classifier")


def _replaced(model: EncoderModel, batch: TokenBatch, unknown: Unknown) -> Int[Tensor, "B _"]:
    return batch.ids if unknown is None else batch.ids.masked_fill(unknown, model.unknown_id)
