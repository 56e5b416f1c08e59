"""A transformer in the plane: labels by hand, known information, and what the batch must not change."""

import math

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.results.transformer_plane import TransformerPlane
from nmt_ib.studies import transformer_plane as study
from nmt_ib.types import Sentence, Word

TEXTS = ["the small dog sleeps", "a red house", "the dog", "we said it"] * 6


def sentence(words, index):
    spans = tuple(Word(word, 0, len(word), pos) for word, pos in words)
    return Sentence("", tuple(range(len(index))), tuple(f"p{place}" for place in range(len(index))), index, words=spans)


def test_words_know_their_neighbours():
    source = sentence([("The", "DET"), ("dog", "NOUN"), ("ran", "")], (-1, 0, 1, 1, 2, -1))
    assert study.words_around([source, sentence([("No", "INTJ")], (0,))]) == {
        study.WORD: ["the", "dog", "ran", "no"],
        study.PREVIOUS: [study.EDGE, "the", "dog", study.EDGE],
        study.NEXT: ["dog", "ran", study.EDGE, study.EDGE],
        study.POS: ["DET", "NOUN", study.UNKNOWN, "INTJ"],
    }
    assert study.first_pieces(source) == [1, 2, 4]


def test_a_word_becomes_the_piece_whose_reading_looks_at_it():
    source = sentence([("a", ""), ("b", "")], (0, 1, 1, -1))
    target = Sentence("", (5, 6, 7), ("x", "y", "</s>"), (-1, -1, -1))
    attention = torch.tensor([[[0.9, 0, 0, 0.1], [0.1, 0.3, 0.3, 0.3], [0.6, 0.1, 0.1, 0.2]]])
    # Row 1 reads x and looks at b's two pieces; row 2 reads y and looks at a.
    assert study.aligned(attention, torch.tensor([[0, 1, 1, -1]]), [source], [target]) == ["y", "x"]


def test_states_that_are_the_word_tell_all_of_it():
    labels = np.array(list("abcd") * 50)
    states = np.eye(4, dtype=np.float32)[np.arange(200) % 4]
    (row,) = study.TransformerPlaneStudy(clusters=4)._counted("encoder 1", study.WORD, states, labels)
    assert row.bits == pytest.approx(2, abs=0.05)
    assert row.entropy_bits == pytest.approx(2)
    assert abs(row.shuffled_bits) < 0.1
    assert row.interval[0] < row.bits < row.interval[1] + 1e-9


def test_rare_labels_are_left_out():
    labels = np.array(["a"] * 40 + ["b"] * 40 + ["c"] + [study.UNKNOWN] * 5)
    states = np.random.default_rng(0).normal(size=(86, 3)).astype(np.float32)
    (row,) = study.TransformerPlaneStudy(clusters=2, values=2)._counted("encoder 1", study.WORD, states, labels)
    assert row.samples == 80
    assert study.TransformerPlaneStudy(clusters=2, values=1)._counted("encoder 1", study.WORD, states, labels) == []


def test_too_few_words_are_refused(tiny_encoder):
    model = tiny_encoder("bert")
    with pytest.raises(RequestError, match="too few for 100 clusters"):
        study.TransformerPlaneStudy().measure(model, [model.tokenize_source(text) for text in TEXTS])


def test_every_layer_of_an_encoder_is_measured(tiny_encoder):
    model = tiny_encoder("bert")
    sources = [model.tokenize_source(text) for text in TEXTS]
    measuring = study.TransformerPlaneStudy(clusters=3, values=5)
    plane = measuring.measure(model, sources, batch_size=5)
    assert plane.layers == tuple(f"encoder {layer}" for layer in range(model.encoder_layers + 1))
    assert plane.things == (study.WORD, study.PREVIOUS, study.NEXT)
    words = sum(len(source.words) for source in sources)
    assert all(row.samples <= words and math.isfinite(row.bits) for row in plane)
    again = measuring.measure(model, sources, batch_size=32)
    assert [row.samples for row in again] == [row.samples for row in plane]
    assert TransformerPlane.from_dict(plane.to_dict()) == plane
    assert len(plane.to_dataframe()) == len(plane)


def test_a_decoder_is_measured_from_what_it_writes(tiny_model):
    model = tiny_model("marian").model
    sources = [model.tokenize_source(text) for text in TEXTS]
    targets = [model.tokenize_target(text) for text in TEXTS]
    plane = study.TransformerPlaneStudy(clusters=3, values=5, tokens=60).measure(model, sources, targets)
    assert {layer.split()[0] for layer in plane.layers} == {"encoder", "decoder"}
    assert set(plane.about(study.OUTPUT)) == set(plane.layers)
    assert all(row.samples <= 60 for row in plane)
