"""Probabilities of answers: of a label, or of chosen tokens of a translation given their prefix."""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.types import Sentence, TokenBatch

SCORES_AT_ONCE = 1 << 24  # 64 MiB of output scores
Target = Sentence | int


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
        tokens: For each sentence the tokens of its translation that are asked for; (0,) for a label.

    Returns:
        For each sentence one probability a token.

    Raises:
        RequestError: The model gives no probabilities.
    """
    if isinstance(model, TranslationModel):
        return _of_tokens(model, batch, embeddings, cast(Sequence[Sentence], targets), tokens)
    if not isinstance(model, Classifier):
        raise RequestError(f"{model.name} gives no probabilities: expected a translation model or a classifier")
    labels = torch.tensor(cast(Sequence[int], targets), device=embeddings.device)
    found = model.classify(embeddings, batch.mask).softmax(1).gather(1, labels[:, None])
    return found.tolist()


def _of_tokens(
    model: TranslationModel,
    batch: TokenBatch,
    embeddings: Tensor,
    targets: Sequence[Sentence],
    tokens: Sequence[Sequence[int]],
) -> list[list[float]]:
    ids = model.pad(targets).ids
    states = model.decode(model.encode(embeddings, batch.mask), batch.mask, ids).states
    rows = torch.tensor([row for row, asked in enumerate(tokens) for _ in asked], device=ids.device)
    places = torch.tensor([place for asked in tokens for place in asked], device=ids.device)
    wanted, vocabulary = states[rows, places], model.logits(states[:1, 0]).shape[-1]
    parts = zip(
        *(part.split(max(1, SCORES_AT_ONCE // vocabulary)) for part in (wanted, ids[rows, places])), strict=True
    )
    found = [model.logits(part).softmax(1).gather(1, answer[:, None])[:, 0] for part, answer in parts]
    flat = torch.cat(found).split([len(asked) for asked in tokens])
    return [part.tolist() for part in flat]
