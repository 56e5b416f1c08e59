"""Bias and spread of estimators with known errors; an interrupted benchmark is resumed."""

import json
import math

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.tasks import TASKS
from nmt_ib.results.estimate import Estimate
from nmt_ib.results.estimator_benchmark import EstimatorBenchmark, EstimatorRun, EstimatorScore, signed_nats
from nmt_ib.studies.benchmarks.mutual_information import benchmark_estimators, chosen_tasks, signature_of
from nmt_ib.studies.benchmarks.pair_estimators import chosen_estimators

TWO = [TASKS["normal-1x1"], TASKS["half-cube-1x1"]]
NATS = TWO[0].nats


def truth(x, y, seed):
    return Estimate(NATS)


def rising(x, y, seed):
    return Estimate(NATS + seed, warnings=("rises",))


def refusing(x, y, seed):
    raise RequestError(f"no seed {seed} is <good>")


def exploding(x, y, seed):
    return Estimate(-math.inf)


def odd(x, y, seed):
    return truth(x, y, seed) if seed % 2 else refusing(x, y, 0)


FAKES = {"truth": truth, "rising": rising, "refusing": refusing, "exploding": exploding, "odd": odd}


@pytest.fixture(scope="module")
def found():
    return benchmark_estimators(FAKES, TWO, samples=10)


def test_the_truth_has_no_bias(found):
    score = found.scores["normal-1x1", "truth"]
    assert (score.bias_nats, score.spread_nats, score.rmse_nats) == (0, 0, 0)
    assert score.exact_nats == NATS
    assert not score.notes


def test_known_errors_have_their_bias_and_spread(found):
    score = found.scores["half-cube-1x1", "rising"]  # off by 0, 1 and 2
    assert score.bias_nats == pytest.approx(1)
    assert score.spread_nats == pytest.approx(1)
    assert score.rmse_nats == pytest.approx(math.sqrt(5 / 3))
    assert score.notes == ("rises",)
    assert str(score) == "+1.000 ± 1.000*"
    assert str(EstimatorScore.of(found[3:4])) == "+0.000*"


def test_a_missing_estimate_has_a_reason(found):
    assert [run.notes for run in found if run.estimator == "exploding"] == [("the estimate is -inf",)] * 6
    score = found.scores["normal-1x1", "refusing"]
    assert math.isnan(score.bias_nats)
    assert score.notes == tuple(f"no seed {seed} is <good>" for seed in range(3))
    assert math.isnan(found.scores["normal-1x1", "odd"].rmse_nats)
    assert str(score) == "-*"
    assert found.remarks[0] == "rising on normal-1x1, half-cube-1x1: rises"


def test_the_median_task():
    runs = [EstimatorRun(task, 1.0, "one", 0, nats, 0.1) for task, nats in (("a", 1.1), ("b", 1.3), ("c", None))]
    assert EstimatorBenchmark(tuple(runs), 10).median_error_nats("one") == pytest.approx(0.3)
    assert EstimatorBenchmark(tuple(runs[:2]), 10).median_error_nats("one") == pytest.approx(0.2)
    assert EstimatorBenchmark(tuple(runs[1:]), 10).median_error_nats("one") == math.inf


@pytest.mark.parametrize("nats", [-1e163, -1e200, -1.7e308])
def test_an_exploded_bound_is_counted(nats):
    table = EstimatorBenchmark(tuple(EstimatorRun("a", 1.0, "nwj", seed, nats, 0.1) for seed in range(3)), 10)
    assert table.scores["a", "nwj"].bias_nats <= nats * 0.99
    assert table.scores["a", "nwj"].rmse_nats == math.inf
    assert json.loads(json.dumps(table.to_dict(), allow_nan=False))["scores"][0]["rmse_nats"] is None


def test_all_see_the_same_samples_and_maps_the_same_pairs():
    seen = {}

    def looking(name):
        def look(x, y, seed):
            seen.setdefault((name, seed), []).append((x, y))
            return truth(x, y, seed)

        return look

    benchmark_estimators({"a": looking("a"), "b": looking("b")}, TWO, samples=20, repetitions=2, seed=4)
    assert seen.keys() == {(name, seed) for name in "ab" for seed in (4, 5)}
    for seed in (4, 5):
        (x, y), (cubed, _) = seen["a", seed]
        np.testing.assert_array_equal(seen["b", seed][0][1], y)
        np.testing.assert_allclose(cubed, np.sign(x) * np.abs(x) ** 1.5)
    assert not np.array_equal(seen["a", 4][0][0], seen["a", 5][0][0])


def test_an_interrupted_benchmark_is_resumed_with_the_same_result(found):
    calls, tables = [], []

    def counted(name):
        return lambda x, y, seed: calls.append((name, seed)) or FAKES[name](x, y, seed)

    part = EstimatorBenchmark(found.runs[:16], 10)  # one of three samples of an estimator is there
    again = benchmark_estimators(
        {name: counted(name) for name in FAKES}, TWO, samples=10, done=part, after_estimator=tables.append
    )
    assert again.runs[:16] == found.runs[:16]
    assert [(run.task, run.estimator, run.seed, run.nats, run.notes) for run in again] == [
        (run.task, run.estimator, run.seed, run.nats, run.notes) for run in found
    ]
    assert calls == [(run.estimator, run.seed) for run in found.runs[16:]]
    assert [len(table) for table in tables] == list(range(3, 31, 3))
    assert tables[-1] == again


def test_json_round_trip(found):
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert EstimatorBenchmark.from_dict(plain) == found
    assert plain["scores"][2]["bias_nats"] is None
    assert len(plain["scores"]) == len(found.scores) == 10


def test_data_frame_and_html(found):
    frame = found.to_dataframe()
    assert list(frame.columns) == list(EstimatorScore.__dataclass_fields__)
    assert frame.set_index(["task", "estimator"]).bias_nats["half-cube-1x1", "rising"] == pytest.approx(1)
    html = found._repr_html_()
    assert "<td>+1.000 ± 1.000*</td>" in html
    assert "3 samples of 10 pairs" in html
    assert "&lt;good&gt;" in html
    assert "<good>" not in html
    assert isinstance(found[0], EstimatorRun)
    assert (found.estimators, found.repetitions) == (tuple(FAKES), 3)


def test_nats_in_a_few_characters():
    assert [signed_nats(nats) for nats in (0.01234, -99.9, 123.0, -1.8e99, math.nan)] == [
        "+0.012", "-99.900", "+1e+02", "-2e+99", "-",
    ]  # fmt: skip


def test_estimators_of_normals_are_right():
    found = benchmark_estimators(chosen_estimators(["gaussian", "ksg"]), TWO[:1], samples=500, repetitions=20)
    for name in ("gaussian", "ksg"):
        score = found.scores["normal-1x1", name]
        assert abs(score.bias_nats) < 4 * score.spread_nats / math.sqrt(20)
        assert 0.02 < score.spread_nats < 0.05  # .034 for normals: rho / sqrt(N)


def test_tasks_by_name():
    assert chosen_tasks(["all"]) == list(TASKS.values())
    assert chosen_tasks(["half-cube-1x1", "dense-2x2"]) == [TASKS["half-cube-1x1"], TASKS["dense-2x2"]]
    with pytest.raises(RequestError, match="unknown task 'dense'; known: all, normal-1x1"):
        chosen_tasks(["dense"])
    with pytest.raises(RequestError, match="no task is named"):
        chosen_tasks([])


def test_signature():
    signature = signature_of(FAKES, TWO, samples=10, repetitions=3, seed=5)
    assert (signature.seed, signature.settings["tasks"]) == (5, ["normal-1x1", "half-cube-1x1"])
    other = signature_of(FAKES, TWO, samples=11, repetitions=3, seed=5)
    assert signature.difference(other.to_dict()) == "settings.samples is 10 now and was 11"
