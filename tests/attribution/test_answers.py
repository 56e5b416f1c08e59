"""Answers that are explained: the model's own, batch by batch, and those that a user gives."""

import pytest
import torch

from nmt_ib.attribution.answers import given_answer, own_answers, own_translations
from nmt_ib.errors import RequestError

SOURCES = ("The old house is red.", "no", "A dog sleeps near the old red door, she said.")


def read(model):
    return [model.tokenize_source(text) for text in SOURCES]


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_own_translations_are_those_of_each_sentence_alone(tiny_model, beams, batch_size):
    model = tiny_model("bart").model
    alone = [model.translate(model.pad([source]), beams=beams)[0] for source in read(model)]
    assert own_answers(model, read(model), batch_size, beams=beams) == alone
    assert own_translations(model, read(model), batch_size, beams=beams) == alone


def test_own_labels_are_the_most_probable(tiny_encoder):
    model = tiny_encoder("bert-classifier")
    with torch.no_grad():
        expected = []
        for source in read(model):
            batch = model.pad([source])
            expected.append(int(model.classify(model.embed(batch.ids), batch.mask).argmax()))
    assert own_answers(model, read(model), batch_size=2) == expected


def test_a_bare_encoder_has_no_answers(tiny_encoder):
    model = tiny_encoder("bert")
    with pytest.raises(RequestError, match="neither translates nor classifies"):
        own_answers(model, read(model))


def test_given_translations(tiny_model):
    model = tiny_model("bart").model
    assert given_answer(model, "Era fácil.") == model.tokenize_target("Era fácil.")
    with pytest.raises(RequestError, match="cannot explain .* not valid Unicode"):
        given_answer(model, "\ud800")


def test_given_labels(tiny_encoder):
    model = tiny_encoder("bert-classifier")
    for number, label in enumerate(model.labels):
        assert given_answer(model, label) == given_answer(model, number) == given_answer(model, str(number)) == number
    with pytest.raises(RequestError, match=f"no label 'magic'; known: .*, or 0 to {len(model.labels) - 1}"):
        given_answer(model, "magic")
    with pytest.raises(RequestError, match="no label"):
        given_answer(model, len(model.labels))
