"""Clusters whose information is known."""

import math

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from nmt_ib.errors import RequestError
from nmt_ib.info.clustering import clustered_information


def clouds(samples, classes, width=8, noise=0.05, seed=0):
    """Equally many states around the corners of a simplex."""
    labels = np.arange(samples) % classes
    return np.eye(width)[labels] + noise * np.random.default_rng(seed).standard_normal((samples, width)), labels


def test_clouds_are_their_labels():
    states, labels = clouds(1000, 2)
    found = clustered_information(states, labels, clusters=2)
    assert found.nats == pytest.approx(math.log(2), abs=2 / 1000)
    assert found.settings["plug_in_nats"] == pytest.approx(math.log(2))
    words = np.array(["não", "sim"])[labels]
    assert clustered_information(states, words, clusters=2) == found


def test_finer_clusters_cost_nothing_once_the_bias_is_off():
    states, labels = clouds(4000, 4)
    found = clustered_information(states, labels, clusters=40)
    assert abs(found.nats - math.log(4)) < 4 * found.error + 40 / 4000
    assert not found.warnings


def test_noisy_labels():
    # Of every label a tenth is replaced at random by one of the four: a symmetric channel of four values.
    states, labels = clouds(8000, 4)
    generator = np.random.default_rng(1)
    noisy = np.where(generator.random(8000) < 0.1, generator.integers(0, 4, 8000), labels)
    wrong = 0.1 * 3 / 4
    truth = math.log(4) + (1 - wrong) * math.log(1 - wrong) + wrong * math.log(wrong / 3)
    found = clustered_information(states, noisy, clusters=4)
    assert abs(found.nats - truth) < 4 * found.error
    coarse = clustered_information(states, noisy, clusters=2)
    assert coarse.nats < min(truth - 0.3, math.log(2))


def test_checks_tell_what_bias_is_left():
    states = np.random.default_rng(0).standard_normal((300, 5))
    labels = np.random.default_rng(1).integers(0, 40, 300)
    few = clustered_information(states, labels, clusters=50)
    assert few.settings["shuffled_nats"] > 0.1  # pairs that occur once are beyond the correction
    assert any("shuffled labels give" in warning for warning in few.warnings)
    many = clustered_information(*clouds(3000, 3), clusters=3)
    assert abs(many.settings["half_nats"] - many.nats) < 0.01
    assert abs(many.settings["shuffled_nats"]) < 0.01
    assert not many.warnings


def test_the_plug_in_is_counting():
    states, labels = clouds(500, 3, noise=1.0)
    found = clustered_information(states, labels, clusters=10)
    values = found.settings["values"]
    corrected = found.settings["plug_in_nats"] - (values["xy"] - values["x"] - values["y"] + 1) / 1000
    assert found.nats == pytest.approx(corrected, abs=1e-12)
    assert mutual_info_score(labels, labels) >= found.settings["plug_in_nats"] > 0


def test_constants_know_nothing():
    assert float(clustered_information(np.ones((50, 3)), np.arange(50) % 2, clusters=5)) == 0
    states, _ = clouds(60, 2)
    assert float(clustered_information(states, np.zeros(60), clusters=5)) == 0


@pytest.mark.parametrize("clusters", [0, 11])
def test_says_what_is_wrong(clusters):
    with pytest.raises(RequestError, match=f"{clusters} clusters of 10 samples"):
        clustered_information(np.ones((10, 2)), np.zeros(10), clusters=clusters)
