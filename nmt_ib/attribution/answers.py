"""Answers to explain: the model's own translations or labels, or those given by a user."""

from collections.abc import Sequence
from typing import cast

import torch

from nmt_ib.batching import map_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import read_target
from nmt_ib.types import Sentence, Target


@torch.inference_mode()
def own_answers(
    model: EncoderModel, sources: Sequence[Sentence], batch_size: int = 32, *, beams: int = 1
) -> list[Target]:
    """The model's own translation or predicted label of each sentence.

    Args:
        model: A translation model or a classifier.
        sources: Tokenised sentences.
        batch_size: Number of sentences per forward pass; does not affect results.
        beams: Beam size of translations; 1: greedy.

    Returns:
        A tokenised translation, or the number of a label, for each sentence, in order.

    Raises:
        RequestError: The model neither translates nor classifies.
    """
    if isinstance(model, TranslationModel):
        return list(own_translations(model, sources, batch_size, beams=beams))
    if not isinstance(model, Classifier):
        raise RequestError(f"{model.name} neither translates nor classifies")

    def predict(batch: list[Sentence]) -> list[int]:
        padded = model.pad(batch)
        return model.classify(model.embed(padded.ids), padded.mask).argmax(1).tolist()

    return list(map_in_batches(predict, sources, batch_size))


@torch.inference_mode()
def own_translations(
    model: TranslationModel, sources: Sequence[Sentence], batch_size: int = 32, *, beams: int = 1
) -> list[Sentence]:
    """The model's own translation of each sentence; arguments as in `own_answers`."""
    return map_in_batches(lambda batch: model.translate(model.pad(batch), beams=beams), sources, batch_size)


def given_answer(model: EncoderModel, target: str | int) -> Target:
    """Converts a translation or label given by a user.

    Args:
        model: A translation model or a classifier.
        target: A translation; or the name or number of a label.

    Returns:
        The tokenised translation, or the number of the label.

    Raises:
        RequestError: The model cannot be forced to produce the translation, or there is no such label.
    """
    if isinstance(model, TranslationModel):
        sentence, reason = read_target(model, str(target))
        if reason is not None:
            raise RequestError(f"cannot explain {str(target)[:40]!r}: {reason}")
        return sentence
    labels = cast(Classifier, model).labels
    if target in labels:
        return labels.index(str(target))
    if str(target).isdecimal() and int(target) < len(labels):
        return int(target)
    raise RequestError(f"{model.name} has no label {target!r}; known: {', '.join(labels)}, or 0 to {len(labels) - 1}")
