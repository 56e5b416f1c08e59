"""Scores of a biaffine parser word by word, from the formulae of Dozat and Manning (2017); slow."""

import torch


def states(parser, vectors):
    """States of the root and of the words of one sentence, without padding."""
    found = vectors
    for layer in parser.lstm:
        found = layer(found[None])[0][0]
    return [parser.root, *found]


def units(layer, state):
    found = layer.weight @ state + layer.bias
    return torch.where(found > 0, found, found.exp() - 1)


def arc_scores(parser, vectors):
    """Score of each head (the root first) of each word: d U h + u h; a word as its own head is ruled out."""
    nodes = states(parser, vectors)
    matrix, bias = parser.arc[:-1], parser.arc[-1]
    scores = torch.full((len(vectors), len(vectors) + 1), -torch.inf, dtype=vectors.dtype)
    for word in range(1, len(nodes)):
        dependent = units(parser.arc_dependent, nodes[word])
        for head in range(len(nodes)):
            if head != word:
                governor = units(parser.arc_head, nodes[head])
                scores[word - 1, head] = dependent @ matrix @ governor + bias @ governor
    return scores


def relation_scores(parser, vectors, heads):
    """Score of each relation of each word to its head: d R h + b d + c h + e."""
    nodes, rows = states(parser, vectors), []
    for word, head in enumerate(heads):
        dependent = units(parser.label_dependent, nodes[word + 1])
        governor = units(parser.label_head, nodes[head + 1])
        rows.append(
            torch.stack(
                [
                    dependent @ table[:-1, :-1] @ governor
                    + dependent @ table[:-1, -1]
                    + table[-1, :-1] @ governor
                    + table[-1, -1]
                    for table in parser.relation
                ]
            )
        )
    return torch.stack(rows)
