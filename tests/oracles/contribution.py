"""Contribution, slowly: one word of one sentence at a time, the whole softmax, straight from the definition."""

import math

import torch


def contribution_matrix(model, source, target, operator, noise=None):
    """(W, T) bits; `noise` (draws, S, D) for the closed channel, of which each draw is used with both signs."""
    table = model.embedding_table()
    whole = logprobs(model, model.embed(torch.tensor([source.ids])), target)
    rows = []
    for word in range(len(source.words)):
        places = [place for place, index in enumerate(source.word_index) if index == word]
        embeddings = model.embed(torch.tensor([source.ids]))
        if operator == "delete":
            kept = [place for place in range(len(source)) if place not in places]
            without = logprobs(model, embeddings[:, kept], target)
        elif operator == "unknown":
            embeddings[0, places] = table[model.unknown_id]
            without = logprobs(model, embeddings, target)
        else:
            draws = []
            for drawn in (*noise, *-noise):
                disturbed = embeddings.clone()
                disturbed[0, places] = table.mean(0) + table.std(0) * drawn[places].to(table)
                draws.append(logprobs(model, disturbed, target))
            without = torch.stack(draws).mean(0)
        rows.append((whole - without) / math.log(2))
    return torch.stack(rows)


def logprobs(model, embeddings, target):
    """Natural log-probability of each target piece."""
    mask = torch.ones(embeddings.shape[:2], dtype=torch.bool)
    ids = torch.tensor([target.ids])
    states = model.decode(model.encode(embeddings, mask), mask, ids).states[0]
    return torch.log_softmax(model.logits(states), dim=-1)[range(len(ids[0])), ids[0]]
