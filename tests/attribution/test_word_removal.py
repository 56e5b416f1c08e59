"""Inputs without a word, by each operator; test_contribution.py compares the contributions themselves."""

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.word_removal import OPERATORS, WordRemoval

SOURCES = ("The old house is red.", "no", "The old house is red.")


@pytest.fixture
def model(tiny_model):
    return tiny_model("bart").model


@torch.no_grad()
def removed(model, operator, word=0, draws=(0, 0, 0), seed=0):
    """Embeddings and mask of all sources without one word, the removed pieces, and the original embeddings."""
    sources = [model.tokenize_source(text) for text in SOURCES]
    batch = model.pad(sources)
    hidden = batch.word_index == word
    embeddings, mask = WordRemoval(model, operator, 4, seed).inputs(batch, hidden, sources, draws)
    return embeddings, mask, hidden, batch, model.embed(batch.ids)


@pytest.mark.parametrize("operator", [operator for operator in OPERATORS if operator != "delete"])
def test_other_pieces_are_unchanged(model, operator):
    embeddings, mask, hidden, batch, original = removed(model, operator)
    assert_close(embeddings[~hidden], original[~hidden])
    assert (embeddings[hidden] != original[hidden]).any(1).all()
    assert (mask == batch.mask).all()


def test_unknown_pieces_have_one_embedding(model):
    embeddings, _, hidden, batch, _ = removed(model, "unknown")
    unknown = model.embed(torch.full_like(batch.ids, model.unknown_id))
    assert_close(embeddings[hidden], unknown[hidden])


def test_deleted_pieces_are_gone(model):
    embeddings, mask, hidden, batch, original = removed(model, "delete")
    for row in range(len(SOURCES)):
        left = batch.mask[row] & ~hidden[row]
        assert_close(embeddings[row, mask[row]], original[row, left])


def test_noise_is_antithetic_and_depends_on_seed_and_sentence(model):
    mean = model.embedding_table().mean(0)
    first, _, hidden, *_ = removed(model, "noise", draws=(0, 0, 1))
    assert_close(first[0, hidden[0]] + first[2, hidden[2]], (2 * mean).expand_as(first[0, hidden[0]]))
    again = removed(model, "noise", draws=(0, 0, 1))[0]
    assert_close(again, first)
    assert (removed(model, "noise", draws=(2, 0, 1))[0][0, hidden[0]] != first[0, hidden[0]]).any()
    assert (removed(model, "noise", draws=(0, 0, 1), seed=1)[0][hidden] != first[hidden]).any()
