"""What is explained: the model's own translations and predictions, or those that a user gave."""

from collections.abc import Sequence
from typing import cast

import torch

from nmt_ib.attribution.question import Target
from nmt_ib.batching import length_buckets
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import read_target
from nmt_ib.types import Sentence


@torch.inference_mode()
def own_answers(model: EncoderModel, sources: Sequence[Sentence], batch_size: int = 32) -> list[Target]:
    """What the model itself translates or predicts.

    Args:
        model: A translation model or a classifier.
        sources: Tokenised sentences.
        batch_size: Sentences at once.

    Returns:
        A translation or label a sentence.
    """
    found: dict[int, Target] = {}
    for bucket in length_buckets([len(source) for source in sources], batch_size):
        batch = model.pad([sources[index] for index in bucket])
        if isinstance(model, TranslationModel):
            found |= dict(zip(bucket, model.translate(batch), strict=True))
        elif isinstance(model, Classifier):
            labels = model.classify(model.embed(batch.ids), batch.mask).argmax(1).tolist()
            found |= dict(zip(bucket, labels, strict=True))
    return [found[index] for index in range(len(sources))]


def given_answer(model: EncoderModel, target: str | int) -> Target:
    """What a user gave as the answer, as a model knows it.

    Args:
        model: A translation model or a classifier.
        target: A translation; or a label, by name or by number.

    Returns:
        The tokenised translation, or the number of the label.

    Raises:
        RequestError: The translation cannot be forced, or there is no such label.
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
