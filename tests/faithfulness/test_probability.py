"""Probabilities of chosen tokens and labels against the softmax of the model's own logits."""

import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.faithfulness import probability
from nmt_ib.faithfulness.probability import probabilities

SOURCES = ("The old house is red.", "no")
TARGETS = ("A casa velha é vermelha.", "Um")


def test_tokens_of_translations(tiny_model, monkeypatch):
    model = tiny_model("bart").model
    sources = [model.tokenize_source(text) for text in SOURCES]
    targets = [model.tokenize_target(text) for text in TARGETS]
    batch, tokens = model.pad(sources), [(0, 2), (len(targets[1]) - 1,)]
    with torch.no_grad():
        embeddings = model.embed(batch.ids)
        found = probabilities(model, batch, embeddings, targets, tokens)
        monkeypatch.setattr(probability, "MAX_LOGITS", 1)  # one token at a time
        assert probabilities(model, batch, embeddings, targets, tokens) == [pytest.approx(row) for row in found]
        for source, target, places, row in zip(sources, targets, tokens, found, strict=True):
            alone, forced = model.pad([source]), model.pad([target])
            encoded = model.encode(model.embed(alone.ids), alone.mask)
            softmax = model.logits(model.decode(encoded, alone.mask, forced.ids).states)[0].softmax(1)
            assert row == pytest.approx([float(softmax[place, target.ids[place]]) for place in places])


def test_labels(tiny_encoder):
    model = tiny_encoder("bert-classifier")
    batch = model.pad([model.tokenize_source(text) for text in SOURCES])
    with torch.no_grad():
        embeddings = model.embed(batch.ids)
        softmax = model.classify(embeddings, batch.mask).softmax(1)
        found = probabilities(model, batch, embeddings, [2, 0], [(0,), (0,)])
    assert [row for (row,) in found] == pytest.approx([float(softmax[0, 2]), float(softmax[1, 0])])


def test_a_bare_encoder_has_no_probabilities(tiny_encoder):
    model = tiny_encoder("bert")
    batch = model.pad([model.tokenize_source("no")])
    with pytest.raises(RequestError, match="gives no probabilities"):
        probabilities(model, batch, model.embed(batch.ids), [0], [(0,)])
