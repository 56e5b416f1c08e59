"""Nearest neighbours against all distances, and where the information is known."""

import math

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info import nearest_neighbours
from nmt_ib.info.nearest_neighbours import ksg_information
from nmt_ib.info.tasks import TASKS
from tests.oracles.information import ksg

VARIANTS = [1, 2]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("tree_dimensions", [0, 4])
@pytest.mark.parametrize(("x_width", "y_width"), [(1, 1), (2, 1), (3, 4)])
def test_neighbours_are_exact(variant, tree_dimensions, x_width, y_width, monkeypatch):
    monkeypatch.setattr(nearest_neighbours, "MAX_TREE_DIMENSIONS", tree_dimensions)
    monkeypatch.setattr(nearest_neighbours, "MAX_DISTANCES", 2000)  # several blocks
    x, y = (part / part.std(0) for part in TASKS["dense-5x5"].sample(120, 0))
    x, y = x[:, :x_width], y[:, :y_width]
    for neighbours in (1, 4):
        found = ksg_information(x, y, neighbours, variant)
        assert found.nats == pytest.approx(ksg(x, y, neighbours, variant), abs=1e-9)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "name",
    ["normal-1x1", "normal-cdf-1x1", "half-cube-1x1", "wiggly-1x1", "bimodal-1x1", "swiss-roll-2x1",
     "additive-uniform-0.75", "asinh-student-1x1-1", "dense-2x2"],
)  # fmt: skip
def test_easy_tasks(name, variant):
    task = TASKS[name]
    found = ksg_information(*task.sample(4000, 0), variant=variant)
    assert abs(found.nats - task.nats) < 4 * found.error


def test_strong_dependence_and_many_dimensions_are_underestimated():
    for name, short in (("additive-uniform-0.1", 0.02), ("two-pairs-5x5", 0.3)):
        task = TASKS[name]
        assert ksg_information(*task.sample(2000, 0)).nats < task.nats - short


def test_the_error_is_the_spread_of_samples():
    found = [ksg_information(*TASKS["normal-1x1"].sample(500, seed)) for seed in range(60)]
    nats = np.array([one.nats for one in found])
    assert 0.6 < np.mean([one.error for one in found]) / nats.std() < 1.6


def test_units_do_not_matter():
    x, y = TASKS["dense-3x3"].sample(300, 0)
    assert ksg_information(x * 7 + 3, y / 9).nats == pytest.approx(ksg_information(x, y).nats, abs=1e-9)
    assert ksg_information(x * 1e200, y / 1e200).nats == pytest.approx(ksg_information(x, y).nats, abs=1e-9)


def test_repeated_values_get_noise_and_a_warning():
    # Independent numbers that occur ten times each.
    x, y = np.random.default_rng(0).integers(0, 100, (2, 1000)).astype(float)
    found = ksg_information(x, y)
    assert abs(found.nats) < 4 * found.error
    assert "repeated values got random noise of 1e-10 standard deviations" in found.warnings[0]
    assert ksg_information(x, y) == found
    x[:] = np.arange(1000)
    untied = ksg_information(x, np.random.default_rng(1).standard_normal(1000))
    assert not untied.warnings
    assert untied.nats == ksg_information(x, np.random.default_rng(1).standard_normal(1000), seed=1).nats


def test_copies_reach_the_maximum():
    # Two identical columns: the maximum for k neighbours of N points.
    x = np.random.default_rng(0).standard_normal(2000)
    found = ksg_information(x, x, neighbours=3)
    harmonic = sum(1 / n for n in range(3, 2000))  # psi(2000) - psi(3)
    assert found.nats == pytest.approx(harmonic, abs=1e-9)
    assert found.nats < math.log(2000)


def test_constants_have_no_information():
    y = np.random.default_rng(0).standard_normal((20, 2))
    assert float(ksg_information(np.ones((20, 3)), y)) == float(ksg_information(y, np.ones(20))) == 0


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"neighbours": 10}, "10 neighbours of 10 points: expected an integer from 1 to 9"),
        ({"neighbours": 0}, "0 neighbours of 10 points"),
        ({"variant": 3}, "unknown variant 3; known: 1, 2"),
    ],
)
def test_says_what_is_wrong(keywords, message):
    x, y = np.random.default_rng(0).standard_normal((2, 10, 1))
    with pytest.raises(RequestError, match=message):
        ksg_information(x, y, **keywords)
