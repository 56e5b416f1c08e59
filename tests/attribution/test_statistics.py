"""Statistics of embeddings and states against plain torch over all sentences, one at a time."""

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.scoring import TranslationScorer
from nmt_ib.attribution.statistics import STD_FLOOR, CorpusStatistics, distance_from_cloud
from nmt_ib.attribution.statistics_measurement import measure_statistics, statistics_for
from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier
from tests.tiny_models import ENGLISH, PORTUGUESE

LINES = (*ENGLISH, "no", "The house is old.")
TARGETS = (*PORTUGUESE, "Um", "A casa velha.")


@pytest.fixture
def translator(tiny_model):
    return tiny_model("ssru").model


@pytest.fixture
def classifier(tiny_encoder):
    return tiny_encoder("bert-classifier")


def read(model, lines=LINES):
    return [model.tokenize_source(line) for line in lines]


@torch.no_grad()
def plainly(model, sources, targets=None):
    """Name -> rows of all states that count, without batches and padding."""
    rows = {}
    for place, source in enumerate(sources):
        batch = model.pad([source])
        words = batch.word_index[0] >= 0
        embeddings = model.embed(batch.ids)
        for layer in range(model.encoder_layers + 1):
            state = embeddings if layer == 0 else model.encode(embeddings, batch.mask, to_layer=layer)
            rows.setdefault(f"encoder.{layer}", []).append(state[0, words])
        if isinstance(model, Classifier):
            rows.setdefault("pooled", []).append(model.pooled(embeddings, batch.mask))
            rows.setdefault("logits", []).append(model.classify(embeddings, batch.mask))
        if targets is not None:
            ids = model.pad([targets[place]]).ids
            decoded = model.decode(model.encode(embeddings, batch.mask), batch.mask, ids, with_layers=True)
            for layer, state in enumerate((model.embed_target(ids), *decoded.layers)):
                rows.setdefault(f"decoder.{layer}", []).append(state[0])
            logprobs = TranslationScorer(model, batch, model.pad([targets[place]])).logprobs(embeddings)[0]
            rows.setdefault("logits", []).append(logprobs[:, None])
    return {name: torch.cat(parts) for name, parts in rows.items()}


def assert_plain(found, rows):
    assert found.parts.keys() == rows.keys()
    for name, values in rows.items():
        std = values.std(0)
        assert_close(found.parts[name].mean, values.mean(0), rtol=1e-9, atol=1e-12)
        assert_close(found.parts[name].std, std.clamp(min=STD_FLOOR * float(std.median())), rtol=1e-9, atol=1e-12)


def test_a_translation_model(translator):
    sources, targets = read(translator), [translator.tokenize_target(text) for text in TARGETS]
    assert_plain(measure_statistics(translator, sources, targets, batch_size=4), plainly(translator, sources, targets))
    assert_plain(measure_statistics(translator, sources, batch_size=4), plainly(translator, sources))


def test_a_classifier(classifier):
    sources = read(classifier)
    assert_plain(measure_statistics(classifier, sources, batch_size=4), plainly(classifier, sources))


def test_the_radius_holds_99_percent_of_the_embeddings(classifier):
    sources = read(classifier)
    found, embeddings = measure_statistics(classifier, sources), plainly(classifier, sources)["encoder.0"]
    distances = distance_from_cloud(embeddings, found.layer(0))
    assert found.radius == pytest.approx(float(distances.quantile(0.99)))
    assert_close(distances, (((embeddings - embeddings.mean(0)) / embeddings.std(0)) ** 2).sum(1))


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_results_do_not_depend_on_batch_size_and_order(translator, batch_size):
    sources, targets = read(translator), [translator.tokenize_target(text) for text in TARGETS]
    expected = measure_statistics(translator, sources, targets)
    for found in (
        measure_statistics(translator, sources, targets, batch_size=batch_size),
        measure_statistics(translator, sources[::-1], targets[::-1], batch_size=batch_size),
    ):
        for name, part in expected.parts.items():
            assert_close(found.parts[name].mean, part.mean, rtol=1e-9, atol=1e-12)
            assert_close(found.parts[name].std, part.std, rtol=1e-9, atol=1e-12)
        assert found.radius == pytest.approx(expected.radius)


def test_a_constant_dimension_is_floored_and_counted(classifier, monkeypatch):
    embed = classifier.embed

    def constant(ids):
        states = embed(ids).clone()
        states[..., [2, 5]] = 0.7
        return states

    monkeypatch.setattr(classifier, "embed", constant)
    layer = measure_statistics(classifier, read(classifier)).layer(0)
    assert layer.floored == 2
    assert_close(layer.std[[2, 5]], (STD_FLOOR * layer.std.median()).expand(2))
    assert layer.std.min() > 0


def test_file_round_trip(classifier, translator, tmp_path):
    found, path = measure_statistics(classifier, read(classifier)), tmp_path / "statistics.npz"
    found.save(path)
    again = CorpusStatistics.load(path, classifier)
    assert (again.model, again.text, again.radius) == (found.model, found.text, found.radius)
    for name, part in found.parts.items():
        assert torch.equal(again.parts[name].mean, part.mean)
        assert torch.equal(again.parts[name].std, part.std)
        assert again.parts[name].floored == part.floored
    with pytest.raises(RequestError, match="statistics of another model, not of tiny"):
        CorpusStatistics.load(path, translator)


def test_the_fingerprint_distinguishes_texts(classifier):
    text = measure_statistics(classifier, read(classifier)).text
    assert measure_statistics(classifier, read(classifier)).text == text
    assert measure_statistics(classifier, read(classifier)[1:]).text != text


def test_lines_of_a_user(translator):
    found = statistics_for(translator, ["", *LINES, "w " * 2_000], decoder=True)
    sources = sorted(read(translator), key=len)
    targets = [translator.translate(translator.pad([source]))[0] for source in sources]
    assert_plain(found, plainly(translator, sources, targets))
    assert "decoder.0" not in statistics_for(translator, LINES).parts


@pytest.mark.parametrize(("language", "sample"), [("en", "sample-en"), ("pt", "sample-pt"), (None, "sample-en")])
def test_the_package_s_own_sentences_are_in_the_model_s_language(translator, monkeypatch, language, sample):
    monkeypatch.setattr(translator, "source_language", language)
    lines = list(read_lines(f"builtin:{sample}"))
    assert statistics_for(translator).text == measure_statistics(translator, read(translator, lines)).text


@pytest.mark.parametrize("lines", [[], ["", "  "], ["w " * 2_000], ["A single line."]])
def test_a_corpus_of_one_sentence_is_an_error(classifier, lines):
    with pytest.raises(RequestError, match="at least two sentences that the model can read"):
        statistics_for(classifier, lines)
