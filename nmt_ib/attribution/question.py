"""What a model is asked about a batch: the log-probability of a label, or of each token of a translation."""

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
class Translation:
    """Forced translations of a padded batch.

    Attributes:
        model: The model.
        batch: Sources.
        targets: Their translations.
    """

    model: TranslationModel
    batch: TokenBatch
    targets: TokenBatch

    @property
    def answers(self) -> Bool[Tensor, "B T"]:
        """True where there is a target token."""
        return self.targets.mask

    def rows(self, index: Int[Tensor, " R"]) -> "Translation":
        """The question about the sentences `index`, which may repeat."""
        return Translation(self.model, self.batch.rows(index), self.targets.rows(index))

    def prefix(self) -> Float[Tensor, "B T D"]:
        """Embeddings of what the decoder reads before each target token."""
        return self.model.embed_target(self.targets.ids)

    def inputs(self, pieces: Unknown = None, tokens: Unknown = None) -> list[Float[Tensor, "B _ D"]]:
        """What the model reads.

        Args:
            pieces: Pieces of the sources that become the unknown piece.
            tokens: Target tokens that the decoder has read as the unknown piece.

        Returns:
            Embeddings of the sources, and of what the decoder reads before each target token.
        """
        sources, targets = (_unknown(self.model, *given) for given in ((self.batch, pieces), (self.targets, tokens)))
        return [self.model.embed(sources), self.model.embed_target(targets)]

    def logprobs(
        self, states: Float[Tensor, "B S D"], prefix: Float[Tensor, "B T D"] | None = None, *, from_layer: int = 0
    ) -> Float[Tensor, "B T"]:
        """Log p(y_t | x, y_<t) in nats.

        Args:
            states: Embeddings (`from_layer` 0), or what stands in for the output of encoder layer `from_layer`.
            prefix: What stands in for `prefix()`.
            from_layer: 0 to the number of encoder layers.

        Returns:
            One figure a target token; on padding 0.
        """
        return self.score(self.answer_states(states, prefix, from_layer=from_layer))

    def answer_states(
        self, states: Float[Tensor, "B S D"], prefix: Float[Tensor, "B T D"] | None = None, *, from_layer: int = 0
    ) -> Float[Tensor, "B T D"]:
        """The state that each answer is read from: the decoder's.

        Args:
            states: As `logprobs` takes them.
            prefix: As `logprobs` takes it.
            from_layer: As `logprobs` takes it.

        Returns:
            One state a target token.
        """
        encoded = self.model.encode(states, self.batch.mask, from_layer)
        return self.model.decode(encoded, self.batch.mask, self.targets.ids, inputs=prefix).states

    def score(self, answer_states: Float[Tensor, "B T D"]) -> Float[Tensor, "B T"]:
        """What `logprobs` returns, each figure from its answer's state alone."""
        logits = self.model.logits(answer_states)
        found = logits.gather(2, self.targets.ids[..., None])[..., 0] - logits.logsumexp(2)
        return found * self.answers


@dataclass(frozen=True)
class Classification:
    """Labels of a padded batch.

    Attributes:
        model: The model.
        batch: Sentences.
        labels: The label that is explained.
    """

    model: Classifier
    batch: TokenBatch
    labels: Int[Tensor, " B"]

    @property
    def answers(self) -> Bool[Tensor, "B 1"]:
        """There is one answer a sentence."""
        return torch.ones_like(self.labels, dtype=torch.bool)[:, None]

    def rows(self, index: Int[Tensor, " R"]) -> "Classification":
        """The question about the sentences `index`, which may repeat."""
        return Classification(self.model, self.batch.rows(index), self.labels[index])

    def prefix(self) -> None:
        """A classifier reads no target."""
        return

    def inputs(self, pieces: Unknown = None, tokens: Unknown = None) -> list[Float[Tensor, "B _ D"]]:
        """What the model reads.

        Args:
            pieces: Pieces that become the unknown piece.
            tokens: Not read.

        Returns:
            Embeddings of the sentences.
        """
        return [self.model.embed(_unknown(self.model, self.batch, pieces))]

    def logprobs(
        self, states: Float[Tensor, "B S D"], prefix: Tensor | None = None, *, from_layer: int = 0
    ) -> Float[Tensor, "B 1"]:
        """Log p(label | x) in nats.

        Args:
            states: Embeddings (`from_layer` 0), or what stands in for the output of layer `from_layer`.
            prefix: Not read.
            from_layer: 0 to the number of layers.

        Returns:
            One figure a sentence.
        """
        return self.score(self.answer_states(states, prefix, from_layer=from_layer))

    def answer_states(
        self, states: Float[Tensor, "B S D"], prefix: Tensor | None = None, *, from_layer: int = 0
    ) -> Float[Tensor, "B 1 K"]:
        """The state that the answer is read from: the scores of all classes.

        Args:
            states: As `logprobs` takes them.
            prefix: Not read.
            from_layer: As `logprobs` takes it.

        Returns:
            One state a sentence.
        """
        return self.model.classify(states, self.batch.mask, from_layer)[:, None]

    def score(self, answer_states: Float[Tensor, "B 1 K"]) -> Float[Tensor, "B 1"]:
        """What `logprobs` returns, each figure from its answer's state alone."""
        return answer_states.log_softmax(2).gather(2, self.labels[:, None, None])[..., 0]


Question = Translation | Classification


def ask(model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target]) -> Question:
    """The question about a batch of sentences.

    Args:
        model: A translation model or a classifier.
        sources: At least one sentence.
        targets: Tokenised translations, or labels.

    Returns:
        The question.

    Raises:
        RequestError: The model is neither.
    """
    batch = model.pad(sources)
    if isinstance(model, TranslationModel):
        return Translation(model, batch, model.pad(cast(Sequence[Sentence], targets)))
    if isinstance(model, Classifier):
        return Classification(model, batch, torch.tensor(cast(Sequence[int], targets), device=batch.ids.device))
    raise RequestError(f"{model.name} gives no probabilities: this method needs a translation model or a classifier")


def _unknown(model: EncoderModel, batch: TokenBatch, unknown: Unknown) -> Int[Tensor, "B _"]:
    return batch.ids if unknown is None else batch.ids.masked_fill(unknown, model.unknown_id)
