"""Benchmark of attribution methods: evaluation set, sums over the corpus, resuming."""

import json
import math
from dataclasses import replace

import pytest

from nmt_ib.attribution.contribution_scores import ContributionScores
from nmt_ib.attribution.gradient import Gradient
from nmt_ib.attribution.random_scores import RandomScores
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.curves import RankedAnswer
from nmt_ib.faithfulness.degradation import Degradation
from nmt_ib.results.benchmark import Benchmark
from nmt_ib.studies.benchmarks.attribution import benchmark_attribution, chosen_tokens, evaluation_set

SOURCES = ("The old house is red.", "", "A dog sleeps near the old red door, she said.")
TARGETS = ("A casa velha é vermelha.", "", "Um cão dorme perto da porta.")


@pytest.fixture
def translator(tiny_model):
    return tiny_model("ssru").model


@pytest.fixture
def classifier(tiny_encoder):
    return tiny_encoder("bert-classifier")


def test_evaluation_set_of_a_translation_model(translator):
    found = evaluation_set(translator, SOURCES, TARGETS, tokens=2)
    assert [source.text for source in found.sources] == [SOURCES[0], SOURCES[2]]
    assert [target.text for target in found.targets] == [TARGETS[0], TARGETS[2]]
    assert found.answers == 4
    for target, tokens in zip(found.targets, found.tokens, strict=True):
        assert list(tokens) == sorted(set(tokens))
        assert max(tokens) < len(target) - 1  # not </s>
    own = evaluation_set(translator, SOURCES)
    assert list(own.targets) == [translator.translate(translator.pad([source]))[0] for source in own.sources]


def test_evaluation_set_of_a_classifier(classifier):
    found = evaluation_set(classifier, SOURCES)
    for source, label in zip(found.sources, found.targets, strict=True):
        batch = classifier.pad([source])
        assert label == int(classifier.classify(classifier.embed(batch.ids), batch.mask).argmax())
    assert found.tokens == ((0,), (0,))
    assert evaluation_set(classifier, SOURCES, ["positive", "negative", "1"]).targets == (2, 1)


def test_tokens_depend_on_seed_and_translation_only(translator):
    target = translator.tokenize_target(TARGETS[2])
    assert chosen_tokens(target, 3, 1) == chosen_tokens(target, 3, 1)
    assert len({chosen_tokens(target, 3, seed) for seed in range(20)}) > 5
    assert chosen_tokens(target, 99) == tuple(range(len(target) - 1))
    assert chosen_tokens(translator.tokenize_target(""), 3) == (0,)


def worth_of(found, token):
    return found.word_scores if found.matrix is None else tuple(row[token] for row in found.matrix)


@pytest.mark.parametrize("kind", ["translator", "classifier"])
def test_rows_equal_those_of_the_curves(kind, request):
    model = request.getfixturevalue(kind)
    method = Gradient()
    table = benchmark_attribution(model, SOURCES, {"gradient": method}, operators=("mask", "delete"), tokens=2, seed=4)
    assert table.methods == ("random", "gradient")
    assert table.sentences == 2
    examples = evaluation_set(model, SOURCES, tokens=2, seed=4)
    for name, made in (("random", RandomScores(4)), ("gradient", method)):
        attributions = made(model, examples.sources, examples.targets)
        answers = [
            RankedAnswer(source, target, worth_of(found, token), token)
            for source, target, tokens, found in zip(
                examples.sources, examples.targets, examples.tokens, attributions, strict=True
            )
            for token in tokens
        ]
        for operator in ("mask", "delete"):
            curves = Degradation(operator, 4)(model, answers)
            rows = {row.metric: row for row in table.of(name) if row.setting == operator}
            whole = sum(curve.morf[0] - curve.morf[-1] for curve in curves)
            if whole > 0:
                assert rows["degradation"].value == pytest.approx(sum(curve.area for curve in curves) / whole)
            else:
                assert math.isnan(rows["degradation"].value)
            mean = sum(curve.aopc_comprehensiveness for curve in curves) / len(curves)
            assert rows["comprehensiveness"].value == pytest.approx(mean)
            mean = sum(curve.aopc_sufficiency for curve in curves) / len(curves)
            assert rows["sufficiency"].value == pytest.approx(mean)
            assert all(row.low <= row.value <= row.high for row in rows.values() if row.value == row.value)
            assert {row.passes for row in rows.values()} == {sum(f.passes for f in attributions) / 2}


def test_an_interrupted_benchmark_is_resumed(translator):
    def broken(*_, **__):
        raise AssertionError("runs again")

    seen = []
    whole = benchmark_attribution(translator, SOURCES, {"gradient": Gradient()}, after_method=seen.append)
    assert [table.methods for table in seen] == [("random",), ("random", "gradient")]
    assert seen[-1] == whole
    done = Benchmark.from_dict(json.loads(json.dumps(whole.to_dict())))
    again = benchmark_attribution(translator, SOURCES, {"gradient": broken}, done=done)
    assert again.rows == whole.rows
    gone_on = benchmark_attribution(translator, SOURCES, {"gradient": Gradient()}, done=seen[0])
    assert [replace(row, seconds=0) for row in gone_on] == [replace(row, seconds=0) for row in whole]


def test_results_do_not_depend_on_batch_size(translator):
    tables = [
        benchmark_attribution(translator, SOURCES, {"x": Gradient()}, operators=("noise",), batch_size=size)
        for size in (1, 32)
    ]
    for one, other in zip(*tables, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-9, nan_ok=True)


def test_wrong_requests(translator, classifier, tiny_encoder):
    with pytest.raises(RequestError, match="can read no sentence"):
        benchmark_attribution(translator, ["", " "], {})
    with pytest.raises(RequestError, match="gives no probabilities"):
        benchmark_attribution(tiny_encoder("bert"), SOURCES, {})
    with pytest.raises(RequestError, match="has no label 'mixed'; known: negative, neutral, positive, or 0 to 2"):
        benchmark_attribution(classifier, SOURCES, {}, ["mixed"] * 3)
    with pytest.raises(RequestError, match="3 sentences need as many targets, not 1"):
        benchmark_attribution(classifier, SOURCES, {}, ["positive"])
    with pytest.raises(RequestError, match="not a translation model"):
        ContributionScores()(classifier, [], [])
