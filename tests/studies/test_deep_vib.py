"""Deep VIB end to end on tiny images: bounds against loops, and wrong requests."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from nmt_ib.data.images import ImageSet
from nmt_ib.deep_vib.training import DeepVIBSettings, as_tensors, train
from nmt_ib.errors import RequestError
from nmt_ib.results.deep_vib import DeepVIB
from nmt_ib.seeding import sentence_generator
from nmt_ib.studies.deep_vib import EPSILONS, RADII, evaluate, run_deep_vib

TINY = DeepVIBSettings(width=4, hidden=16, epochs=30, batch_size=20, learning_rate=1e-2)


def draw(count, seed):
    """Images whose brightest row tells the class."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, count, dtype=np.uint8)
    labels[:4] = range(4)
    pixels = generator.integers(0, 120, (count, 4, 4), dtype=np.uint8)
    pixels[np.arange(count), labels] += 120
    return ImageSet(pixels, labels)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Name of the objective -> its figures."""
    folder = tmp_path_factory.mktemp("deep_vib")
    strengths = {"bottleneck": 1e-2, "deterministic": 0.0, "dropout": 0.2, "label smoothing": 0.1}
    strengths["confidence penalty"] = 0.1
    return {
        name: run_deep_vib(draw(200, 0), draw(60, 1), folder / name, settings=replace(TINY, objective=name, beta=beta))
        for name, beta in strengths.items()
    }


def test_figures_are_those_of_a_loop(tmp_path):
    test = draw(60, 1)
    network = train(draw(200, 0), tmp_path, settings=replace(TINY, epochs=1)).averaged
    got = evaluate(network, test, seed=3)
    noise = network.noise(12, 60, sentence_generator(3, "evaluation"))
    pixels, labels = as_tensors(test)
    wrong = wrong_together = cross_entropy = rate = 0.0
    with torch.no_grad():
        for image, (picture, label) in enumerate(zip(pixels, labels.tolist(), strict=True)):
            mean, std = (one[0] for one in network.code(picture[None]))
            together = np.zeros(4)
            for sample in range(12):
                probabilities = network.decoder(mean + std * noise[sample, image]).softmax(-1).numpy()
                wrong += (probabilities.argmax() != label) / 12
                cross_entropy -= math.log2(probabilities[label]) / 12
                together += probabilities / 12
            wrong_together += together.argmax() != label
            terms = std.square() + mean.square() - 1 - 2 * std.log()
            rate += float(0.5 * terms.sum()) / math.log(2)
    entropy_bits = entropy(np.bincount(test.labels), base=2)
    assert got.error_one_sample == pytest.approx(wrong / 60)
    assert got.error_all_samples == pytest.approx(wrong_together / 60)
    assert got.cross_entropy_bits == pytest.approx(cross_entropy / 60, rel=1e-5)
    assert got.izx_bits == pytest.approx(rate / 60, rel=1e-5)
    assert got.izy_bits == pytest.approx(entropy_bits - cross_entropy / 60, rel=1e-5)


def test_the_bounds_are_in_range(found):
    for one in found.values():
        for weights in (one.raw, one.averaged):
            assert weights.izy_bits <= 2  # log2 of the number of classes
            assert weights.error_all_samples < 0.2
            assert weights.izx_bits is None or weights.izx_bits >= weights.izy_bits
    assert {name for name, one in found.items() if one.averaged.izx_bits is not None} == {"bottleneck"}
    assert {name: one.samples for name, one in found.items() if one.samples > 1} == {"bottleneck": 12}


def test_with_a_high_beta_the_code_is_uninformative(tmp_path):
    settings = replace(TINY, beta=100.0, epochs=60, batch_size=10, learning_rate=3e-2)
    nothing = run_deep_vib(draw(200, 0), draw(60, 1), tmp_path, settings=settings).averaged
    assert 0 <= nothing.izx_bits < 0.05
    assert abs(nothing.izy_bits) < 0.1
    assert nothing.error_all_samples > 0.5


def test_attacks_follow_every_gradient_there_is(found):
    ways = {name: [(curve.attack, curve.gradient) for curve in one.attacks] for name, one in found.items()}
    plain = [("FGSM", "mean code"), ("L2 PGD", "mean code")]
    assert ways.pop("bottleneck") == plain + [("FGSM", "12 samples"), ("L2 PGD", "12 samples")]
    assert all(way == plain for way in ways.values())


def test_accuracy_falls_from_that_without_an_attack(found):
    for one in found.values():
        for curve in one.attacks:
            assert curve.sizes == (EPSILONS if curve.attack == "FGSM" else RADII)
            assert curve.images == 60
            assert abs(curve.accuracies[0] - (1 - one.averaged.error_all_samples)) < 0.05  # other samples
            assert curve.accuracies[-1] < curve.accuracies[0] - 0.3
            assert curve.unchanged == 0


def test_the_same_command_gives_the_same_figures(tmp_path):
    first, second = (
        run_deep_vib(draw(200, 0), draw(60, 1), tmp_path, settings=replace(TINY, epochs=2)) for _ in range(2)
    )
    assert first == second


def test_results_survive_json(found):
    for one in found.values():
        assert DeepVIB.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (draw(20, 0), draw(20, 0).first(0), "found 20 and 0"),
        (draw(20, 0).first(0), draw(20, 0), "found 0 and 20"),
        (draw(20, 0), ImageSet(np.zeros((3, 5, 4), np.uint8), np.zeros(3, np.uint8)), "5 x 4 pixels, .* 4 x 4:"),
        (
            draw(20, 0),
            ImageSet(np.zeros((3, 4, 4), np.uint8), np.full(3, 9, np.uint8)),
            "labels up to 9, .* only up to 3",
        ),
    ],
)
def test_sets_that_do_not_match(tmp_path, train, test, message):
    with pytest.raises(RequestError, match=message):
        run_deep_vib(train, test, tmp_path, settings=TINY)
