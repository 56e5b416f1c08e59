"""Layers of a transformer in the plane: known information, two estimators, independence of the batch size."""

import math

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.discrete import discrete_information
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.transformer_plane import CLUSTERS, INFONCE, TransformerPlane
from nmt_ib.studies.planes.layer_states import answers_anything, gather_states
from nmt_ib.studies.planes.transformer import TransformerPlaneStudy
from nmt_ib.studies.planes.word_labels import NEXT, OUTPUT, PREVIOUS, UNKNOWN, WORD

TEXTS = ["the small dog sleeps", "a red house", "the dog", "we said it"] * 6


def test_states_that_encode_the_word_have_all_information():
    labels = np.array(list("abcd") * 50)
    states = np.eye(4, dtype=np.float32)[np.arange(200) % 4]
    (row,) = TransformerPlaneStudy(clusters=4).knowledge("encoder 1", WORD, states, labels)
    assert row.bits == pytest.approx(2, abs=0.05)
    assert row.entropy_bits == pytest.approx(2)
    assert abs(row.shuffled_bits) < 0.1
    assert row.interval[0] < row.bits < row.interval[1] + 1e-9
    assert row.ceiling_bits == 2


def test_a_critic_finds_information_that_clusters_miss():
    """Only directions of small variance encode the label: the true value is 2 bits."""
    generator = np.random.default_rng(0)
    labels = generator.choice(list("abcd"), 2000)
    states = generator.normal(size=(2000, 8)).astype(np.float32)
    states[:, :4] *= 10
    states[:, 4:] = 0.05 * states[:, 4:] + np.eye(4)[np.unique(labels, return_inverse=True)[1]]
    measuring = TransformerPlaneStudy(clusters=8, estimators=(CLUSTERS, INFONCE))
    clusters, critic = measuring.knowledge("encoder 1", WORD, states, labels)
    assert (clusters.estimator, critic.estimator) == (CLUSTERS, INFONCE)
    assert clusters.beyond_chance_bits == pytest.approx(0, abs=0.05)
    assert critic.bits == pytest.approx(2, abs=0.05)
    assert (critic.shuffled_bits, critic.ceiling_bits) == (
        0,
        pytest.approx(math.log2(300)),
    )  # two blocks of 600 test pairs


def test_a_critic_does_not_overestimate():
    """A label that is random in a quarter of cases: counting the four states is nearly exact."""
    generator = np.random.default_rng(1)
    kinds = generator.integers(0, 4, 3000)
    labels = np.where(generator.random(3000) < 0.75, kinds, generator.integers(0, 4, 3000)).astype(str)
    (row,) = TransformerPlaneStudy(clusters=4, estimators=(INFONCE,)).knowledge(
        "encoder 1", WORD, np.eye(4, dtype=np.float32)[kinds], labels
    )
    counted = discrete_information(kinds, labels).nats * BITS_PER_NAT
    assert row.interval[0] < counted < row.interval[1]


def test_unknown_estimators_are_refused():
    with pytest.raises(RequestError, match="unknown estimator 'mine'; known for layers of a model: clusters, infonce"):
        TransformerPlaneStudy(estimators=(CLUSTERS, "mine"))


def test_rare_labels_are_left_out():
    labels = np.array(["a"] * 40 + ["b"] * 40 + ["c"] + [UNKNOWN] * 5)
    states = np.random.default_rng(0).normal(size=(86, 3)).astype(np.float32)
    (row,) = TransformerPlaneStudy(clusters=2, values=2).knowledge("encoder 1", WORD, states, labels)
    assert row.samples == 80
    assert TransformerPlaneStudy(clusters=2, values=1).knowledge("encoder 1", WORD, states, labels) == []


def test_too_few_words_are_refused(tiny_encoder):
    model = tiny_encoder("bert")
    with pytest.raises(RequestError, match="too few for 100 clusters"):
        TransformerPlaneStudy().measure(model, [model.tokenize_source(text) for text in TEXTS])


def test_every_layer_of_an_encoder_is_measured(tiny_encoder):
    model = tiny_encoder("bert")
    sources = [model.tokenize_source(text) for text in TEXTS]
    measuring = TransformerPlaneStudy(clusters=3, values=5)
    plane = measuring.measure(model, sources, batch_size=5)
    assert plane.layers == tuple(f"encoder {layer}" for layer in range(model.encoder_layers + 1))
    assert plane.things == (WORD, PREVIOUS, NEXT)
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
    plane = TransformerPlaneStudy(clusters=3, values=5, tokens=60).measure(model, sources, targets)
    assert {layer.split()[0] for layer in plane.layers} == {"encoder", "decoder"}
    assert set(plane.about(OUTPUT)) == set(plane.layers)
    assert all(row.samples <= 60 for row in plane)


def test_a_classifiers_words_have_the_label_of_their_sentence(tiny_encoder):
    model = tiny_encoder("bert")
    sources = [model.tokenize_source(text) for text in TEXTS]
    encoder, decoder = gather_states(model, sources, [len(text) % 2 for text in TEXTS], tokens=100)
    assert encoder.labels[OUTPUT][:2] == ["0", "0"]
    assert set(encoder.labels[OUTPUT]) == {"0", "1"}
    assert decoder.count == 0
    assert not answers_anything(model)
    assert answers_anything(tiny_encoder("bert-classifier"))
