"""Each family of methods gives on a GPU what it gives on the CPU, on tiny models in float64.

The same tests run with the CPU in place of the GPU, so that they are exercised on every machine.
"""

import copy
import math

import pytest
import torch
from torch.testing import assert_close

from nmt_ib import attribute, diagnose, retain
from nmt_ib.compression.kinds import TagSettings
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.parser import moved
from nmt_ib.compression.training import TrainingSettings, evaluate, train
from nmt_ib.models.elmo_files import read_elmo
from nmt_ib.models.embedders import ElmoEmbedder, TransformerEmbedder
from tests.tiny_elmo import write_elmo
from tests.tiny_models import ENGLISH, PORTUGUESE
from tests.tiny_treebank import parser_config, tiny_corpus

RELATIVE, ABSOLUTE = 1e-6, 1e-7  # float64: sums in another order, over a few layers
ROUNDED = 2e-4  # results are rounded to 4 decimals, which may fall to either side
TRAINED = 1e-4  # after a few dozens of Adam steps
WORDS = [["The", "old", "house"], ["no"], [], ["She", "sells", "sea", "shells"]]
METHODS = {
    "gradient": {},
    "input_x_gradient": {"layer": 1},
    "integrated_gradients": {"steps": 3},
    "occlusion": {},
    "attention_rollout": {},
    "alti": {},
    "sigma": {"steps": 3, "products": 2, "pairs": 1},
    "bottleneck": {"steps": 2, "draws": 2},
}


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("--gpu was given, but torch finds no CUDA device")
    return request.param


@pytest.fixture(params=["marian", "ssru", "t5"])
def translators(request, tiny_model, device):
    """A translation model, and its copy on the device."""
    model = tiny_model(request.param).model
    return model, on(model, device)


@pytest.fixture(params=["bert", "bert-classifier", "deberta-v2-classifier"])
def encoders(request, tiny_encoder, device):
    """An encoder or classifier, and its copy on the device."""
    model = tiny_encoder(request.param)
    return model, on(model, device)


def on(model, device):
    """A copy of a model on a device."""
    other = copy.copy(model)
    other.model = copy.deepcopy(model.model).to(device)
    return other


def assert_same(found, expected, tolerance):
    """Equal plain data, but for the rounding of numbers."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected.keys() - {"signature"}:
            assert_same(found[key], expected[key], tolerance)
    elif isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, tolerance)
    elif isinstance(expected, float):
        assert math.isclose(found, expected, rel_tol=RELATIVE, abs_tol=tolerance), (found, expected)
    else:
        assert found == expected


def results(function, pair, *arguments, tolerance=ROUNDED, **settings):
    """Asserts that both models of a pair have the same results."""
    expected, found = (function(model, *arguments, **settings).to_dict() for model in pair)
    assert_same(found, expected, tolerance)


def test_translations(translators, device):
    expected, found = (
        model.translate(model.pad([model.tokenize_source(text) for text in ENGLISH]), beams=2) for model in translators
    )
    assert [sentence.ids for sentence in found] == [sentence.ids for sentence in expected]
    assert translators[1].pad([translators[1].tokenize_source("no")]).ids.device.type == device


@pytest.mark.parametrize("operator", ["unknown", "noise"])
def test_diagnosis(translators, operator):
    results(diagnose, translators, ENGLISH[:3], PORTUGUESE[1:], operator=operator, matrix=True)


def test_retention_of_a_translator(translators):
    results(retain, translators, ENGLISH[1:2], PORTUGUESE[1:2], repetitions=1, tolerance=1e-3)


def test_retention_of_an_encoder(encoders):
    results(retain, encoders, ENGLISH[1:2], repetitions=1, tolerance=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_attribution_of_translations(translators, method):
    arguments = {"method": method, "targets": list(PORTUGUESE[:2]), "corpus": list(ENGLISH)}
    if not method.startswith(("sigma", "bottleneck")):
        del arguments["corpus"]
    results(attribute, translators, list(ENGLISH[:2]), **arguments, **METHODS[method], tolerance=1e-5)


@pytest.mark.parametrize("method", ["attention_rollout", "sigma"])
def test_attribution_of_states(encoders, method):
    results(attribute, encoders, list(ENGLISH[:2]), method=method, **METHODS[method], tolerance=1e-5)


def test_vectors_of_a_transformer(encoders):
    embedders = [TransformerEmbedder(model, "mean") for model in encoders]
    assert_vectors(*embedders, layers=[0, 2])


def test_vectors_of_elmo(tmp_path, device):
    read = read_elmo(write_elmo(tmp_path)).double()
    assert_vectors(ElmoEmbedder(read, name="tiny"), ElmoEmbedder(copy.deepcopy(read).to(device), name="tiny"), [0, 1])


def assert_vectors(embedder, other, layers):
    for mine, theirs in zip(embedder.vectors(WORDS, layers), other.vectors(WORDS, layers), strict=True):
        assert_close(theirs.cpu(), mine, rtol=RELATIVE, atol=ABSOLUTE)
    words = [word for sentence in WORDS for word in sentence]
    assert_close(other.types(words).cpu(), embedder.types(words), rtol=RELATIVE, atol=ABSOLUTE)


@pytest.mark.parametrize("kind", ["continuous", "discrete"])
def test_compression_and_parsing(tmp_path, kind, device):
    corpus = tiny_corpus(tmp_path, types=4)
    config = parser_config(corpus, TagSettings(kind, dim=5))
    settings = TrainingSettings(epochs=2, batch_size=4, learning_rate=1e-2, samples=2)

    def trained(place):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = moved(config.build().double(), place)
        folder = tmp_path / place
        folder.mkdir(exist_ok=True)
        epochs = train(model, Objective(0.01, gamma=0.02), (corpus, corpus), settings, folder, lambda _: None, "tiny")
        return model, epochs

    (model, epochs), (other, others) = trained("cpu"), trained(device)
    for mine, theirs in zip(epochs, others, strict=True):
        assert theirs.loss == pytest.approx(mine.loss, rel=TRAINED)
        assert theirs.bits == pytest.approx(mine.bits, rel=TRAINED)
    everything = range(len(corpus.trees))
    expected, found = model.parse(corpus.batch([0, 1])), other.parse(corpus.batch([0, 1], device))
    assert [heads.tolist() for heads in found.heads] == [heads.tolist() for heads in expected.heads]
    assert_close(found.rate_nats.cpu(), expected.rate_nats, rtol=TRAINED, atol=TRAINED)
    assert evaluate(other, corpus)[0].words == sum(len(corpus.trees[index]) for index in everything)
