"""Sites: the states of a model that can be analysed, of a layer, of a classifier, or of the output."""

from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.scoring import Scorer, TranslationScorer
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.types import TokenBatch

PARTS = ("encoder", "decoder", "pooled", "logits")
LAYERED = PARTS[:2]


@dataclass(frozen=True)
class Site:
    """A state of a model that can be analysed.

    Attributes:
        part: "encoder" or "decoder": the output of one of its layers at every position; "pooled": the state that a
            classifier's output layer reads; "logits": the scores of all labels, or for a translation the
            log-probability of each of its tokens.
        layer: 1 to the number of layers; not used for "pooled" and "logits".
    """

    part: str = "encoder"
    layer: int = 1

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise RequestError(f"unknown part of a model {self.part!r}; known: {', '.join(PARTS)}")

    @property
    def key(self) -> str:
        """Key of the site in `CorpusStatistics.parts`."""
        return f"{self.part}.{self.layer}" if self.part in LAYERED else self.part

    @property
    def needs_target(self) -> bool:
        """Whether the state of a translation model depends on its translation."""
        return self.part in ("decoder", "logits")

    def check(self, model: EncoderModel) -> None:
        """Raises RequestError if the model does not have this site.

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
            raise RequestError(f"{model.name} is not a classifier: it has no {self.part}")

    def positions(self, batch: TokenBatch | Scorer) -> Bool[Tensor, "B O"]:
        """Mask of the positions of the state.

        Args:
            batch: Sentences; for a site that needs a target, with their translations.

        Returns:
            False on padding; pooled states and logits of labels have one position.
        """
        if isinstance(batch, TranslationScorer):
            return batch.target_mask if self.needs_target else batch.batch.mask
        mask = _mask(batch)
        return mask if self.part == "encoder" else torch.ones_like(mask[:, :1])

    def state(
        self, model: EncoderModel, batch: TokenBatch | Scorer, embeddings: Float[Tensor, "B S D"]
    ) -> Float[Tensor, "B O U"]:
        """The state as a function of the embeddings.

        Args:
            model: The model.
            batch: See `positions`.
            embeddings: Embeddings of the sentences; if the site needs a target, optionally followed by those of the
                target prefix.

        Returns:
            One vector per position.
        """
        if isinstance(batch, TranslationScorer) and self.needs_target:
            width = batch.batch.ids.shape[1]
            source, prefix = embeddings[:, :width], embeddings[:, width:]
            return self._decoder_state(batch, source, prefix if prefix.shape[1] else None)
        mask = _mask(batch)
        if self.part == "encoder":
            return model.encode(embeddings, mask, to_layer=self.layer)
        classifier = cast(Classifier, model)  # see `check`
        return (classifier.pooled if self.part == "pooled" else classifier.classify)(embeddings, mask)[:, None]

    def _decoder_state(
        self, scorer: TranslationScorer, source: Tensor, prefix: Tensor | None
    ) -> Float[Tensor, "B T U"]:
        if self.part == "logits":
            return scorer.logprobs(source, prefix)[..., None]
        mask, targets = scorer.batch.mask, scorer.targets.ids
        encoded = scorer.model.encode(source, mask)
        return scorer.model.decode(encoded, mask, targets, inputs=prefix, with_layers=True).layers[self.layer - 1]


def _mask(batch: TokenBatch | Scorer) -> Bool[Tensor, "B S"]:
    return batch.mask if isinstance(batch, TokenBatch) else batch.batch.mask
