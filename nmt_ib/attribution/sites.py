"""Where a model can be looked at: a layer of its encoder or decoder, its pooled state, its output."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.question import Question, Translation
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.types import TokenBatch

PARTS = ("encoder", "decoder", "pooled", "logits")
LAYERED = PARTS[:2]


@dataclass(frozen=True)
class Site:
    """A part of a model whose state is looked at.

    Attributes:
        part: "encoder" or "decoder": the output of one of its layers at every position; "pooled": the state that a
            classifier's output layer reads; "logits": the scores of all classes, or for a translation the
            log-probability of each of its tokens.
        layer: 1 to the number of layers; not read for "pooled" and "logits".
    """

    part: str = "encoder"
    layer: int = 1

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise RequestError(f"unknown part of a model {self.part!r}; known: {', '.join(PARTS)}")

    @property
    def key(self) -> str:
        """Its name in `CorpusStatistics.parts`."""
        return f"{self.part}.{self.layer}" if self.part in LAYERED else self.part

    @property
    def needs_target(self) -> bool:
        """Whether the state of a translation model depends on its translation."""
        return self.part in ("decoder", "logits")

    def check(self, model: EncoderModel) -> None:
        """Refuses what the model does not have.

        Args:
            model: The model.

        Raises:
            RequestError: There is no such layer or part.
        """
        if self.part in LAYERED:
            layers = getattr(model, f"{self.part}_layers", 0)
            if not layers:
                raise RequestError(f"{model.name} has no {self.part}")
            if not 1 <= self.layer <= layers:
                raise RequestError(f"{model.name} has {self.part} layers 1 to {layers}, not {self.layer}")
        elif not isinstance(model, Classifier) and (self.part == "pooled" or not isinstance(model, TranslationModel)):
            raise RequestError(f"{model.name} is no classifier: it has no {self.part}")

    def positions(self, about: TokenBatch | Question) -> Bool[Tensor, "B O"]:
        """Where the state has positions.

        Args:
            about: Sentences; for a site that needs a target, with their translations.

        Returns:
            False on padding; pooled states and the scores of classes have one position.
        """
        if isinstance(about, Translation):
            return about.answers if self.needs_target else about.batch.mask
        mask = about.mask if isinstance(about, TokenBatch) else about.batch.mask
        return mask if self.part == "encoder" else torch.ones_like(mask[:, :1])

    def state(
        self, model: EncoderModel, about: TokenBatch | Question, embeddings: Float[Tensor, "B S D"]
    ) -> Float[Tensor, "B O U"]:
        """The state that comes of given embeddings.

        Args:
            model: The model.
            about: As `positions` takes it.
            embeddings: Of the sentences; where the site needs a target, those that the decoder reads may follow.

        Returns:
            One vector a position.
        """
        if isinstance(about, Translation) and self.needs_target:
            width = about.batch.ids.shape[1]
            source, prefix = embeddings[:, :width], embeddings[:, width:]
            return self._decoder(about, source, prefix if prefix.shape[1] else None)
        mask = about.mask if isinstance(about, TokenBatch) else about.batch.mask
        if self.part == "encoder":
            return model.encode(embeddings, mask, to_layer=self.layer)
        assert isinstance(model, Classifier)  # noqa: S101 - `check` has seen to it
        return (model.pooled if self.part == "pooled" else model.classify)(embeddings, mask)[:, None]

    def _decoder(self, question: Translation, source: Tensor, prefix: Tensor | None) -> Float[Tensor, "B T U"]:
        if self.part == "logits":
            return question.logprobs(source, prefix)[..., None]
        mask, targets = question.batch.mask, question.targets.ids
        encoded = question.model.encode(source, mask)
        return question.model.decode(encoded, mask, targets, inputs=prefix, with_layers=True).layers[self.layer - 1]
