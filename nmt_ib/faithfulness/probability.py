"""Probabilities of answers: of a label, or of chosen tokens of a translation given their prefix."""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.types import Sentence, Target, TokenBatch

MAX_LOGITS = 1 << 24  # output scores computed at once, 64 MiB in float32


def probabilities(
    model: EncoderModel,
    batch: TokenBatch,
    embeddings: Float[Tensor, "B S D"],
    targets: Sequence[Target],
    tokens: Sequence[Sequence[int]],
) -> list[list[float]]:
    """p(y_t | x, y_<t) of chosen tokens, or p(label | x).

    Args:
        model: A translation model or a classifier.
        batch: The sentences.
        embeddings: What the first layer reads.
        targets: Translations, or labels.
        tokens: For each sentence the indices of the target tokens whose probability is wanted; (0,) for a label.

    Returns:
        For each sentence one probability per token, 0 to 1.

    Raises:
        RequestError: The model is neither a translation model nor a classifier.
    """
    if isinstance(model, TranslationModel):
        return _of_tokens(model, batch, embeddings, cast(Sequence[Sentence], targets), tokens)
    if not isinstance(model, Classifier):
        raise RequestError(f"{model.name} gives no probabilities: expected a translation model or a classifier")
    labels = torch.tensor(cast(Sequence[int], targets), device=embeddings.device)
    return model.classify(embeddings, batch.mask).softmax(1).gather(1, labels[:, None]).tolist()


def _of_tokens(
    model: TranslationModel,
    batch: TokenBatch,
    embeddings: Tensor,
    targets: Sequence[Sentence],
    tokens: Sequence[Sequence[int]],
) -> list[list[float]]:
    ids = model.pad(targets).ids
    states = model.decode(model.encode(embeddings, batch.mask), batch.mask, ids).states
    rows = torch.tensor([row for row, places in enumerate(tokens) for _ in places], device=ids.device)
    columns = torch.tensor([place for places in tokens for place in places], device=ids.device)
    chosen, vocabulary = states[rows, columns], model.logits(states[:1, 0]).shape[-1]
    parts = zip(*(part.split(max(1, MAX_LOGITS // vocabulary)) for part in (chosen, ids[rows, columns])), strict=True)
    probabilities = [model.logits(part).softmax(1).gather(1, token[:, None])[:, 0] for part, token in parts]
    return [part.tolist() for part in torch.cat(probabilities).split([len(places) for places in tokens])]
