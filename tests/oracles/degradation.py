"""Degradation, slowly: one answer, one level, one sentence at a time, without padding."""

import torch

from nmt_ib.faithfulness.curves import RankedAnswer, removal_levels
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, TokenBatch


def probability(model, ids, embeddings, target, token) -> float:
    batch = TokenBatch(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.bool), torch.zeros(1, len(ids)).long())
    if isinstance(target, Sentence):
        encoded = model.encode(embeddings, batch.mask)
        states = model.decode(encoded, batch.mask, torch.tensor([target.ids])).states
        return float(model.logits(states)[0, token].softmax(0)[target.ids[token]])
    return float(model.classify(embeddings, batch.mask)[0].softmax(0)[target])


def without(model, source, removed, operator, seed, cloud) -> tuple[list[int], torch.Tensor]:
    """Ids and embeddings of what is left of a sentence."""
    ids = list(source.ids)
    places = [place for place, word in enumerate(source.word_index) if word in removed]
    if operator == "delete":
        ids = [piece for place, piece in enumerate(ids) if place not in places]
    if operator == "mask":
        mask_id = getattr(model, "mask_id", None)
        for place in places:
            ids[place] = model.unknown_id if mask_id is None else mask_id
    embeddings = model.embed(torch.tensor([ids]))
    if operator == "noise":
        mean, deviation = cloud
        drawn = torch.randn(len(source), len(mean), generator=sentence_generator(seed, source.text)).to(mean)
        for place in places:
            embeddings[0, place] = mean + deviation * drawn[place]
    return ids, embeddings


def curves(model, answer: RankedAnswer, operator: str, seed: int, cloud) -> tuple[list[float], list[float]]:
    """MoRF and LeRF of one answer."""
    best_first = sorted(range(len(answer.scores)), key=lambda word: -answer.scores[word])
    found = []
    for order in (best_first, list(reversed(best_first))):
        found.append([])
        for level in removal_levels(len(order)):
            ids, embeddings = without(model, answer.source, set(order[:level]), operator, seed, cloud)
            found[-1].append(probability(model, ids, embeddings, answer.target, answer.token))
    return found[0], found[1]
