"""Estimators by name: their default settings, slow twins and exact values."""

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.bounds import BOUNDS
from nmt_ib.info.tasks import TASKS
from nmt_ib.studies.benchmarks.pair_estimators import NOT_FOR_PAIRS, PAIR_ESTIMATORS, chosen_estimators
from tests.oracles.information import kernel_entropy

# Allowed error in nats for correlated normals (0.413 nats) and 1,000 pairs: the standard error of KSG is 0.026, bins
# and kernels smooth, and a critic is trained on 500 pairs only.
MAX_ERROR = {
    "gaussian": 0.08, "ksg": 0.05, "ksg2": 0.05, "binning": 0.1, "adaptive": 0.08, "clustering": 0.08, "kde": 0.08,
    "infonce": 0.2, "nwj": 0.3, "dv": 0.2, "smile": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("name", PAIR_ESTIMATORS)
def test_known_answer(name):
    task = TASKS["normal-1x1"]
    found = PAIR_ESTIMATORS[name](*task.sample(1000, 0), 7)
    assert abs(found.nats - task.nats) < MAX_ERROR[name]
    assert found.settings.get("seed", 7) == 7


@pytest.mark.parametrize("name", ["binning", "adaptive", "clustering", "kde"])
def test_shuffled_pairs_have_little_information(name):
    x, y = TASKS["normal-1x1"].sample(1000, 0)
    y = np.random.default_rng(1).permutation(y)
    assert abs(PAIR_ESTIMATORS[name](x, y, 0).nats) < 0.05
    assert PAIR_ESTIMATORS[name](x, y, 0) == PAIR_ESTIMATORS[name](x, y, 0)


def test_every_neural_bound_is_there():
    assert set(BOUNDS) <= set(PAIR_ESTIMATORS)


@pytest.mark.parametrize("name", ["dense-2x2", "swiss-roll-2x1", "student-identity-1x1-1"])
def test_kernels_are_three_entropies(name):
    x, y = (part * 3 + 1 for part in TASKS[name].sample(60, 0))
    found = PAIR_ESTIMATORS["kde"](x, y, 0)
    x, y = ((part - part.mean(0)) / part.std(0) for part in (x, y))
    width = x.shape[1] + y.shape[1]
    silverman = (4 / (width + 2)) ** (1 / (width + 4)) * 60 ** (-1 / (width + 4))
    parts = [kernel_entropy(points, silverman**2, True) for points in (x, y, np.hstack([x, y]))]
    assert found.nats == pytest.approx(parts[0] + parts[1] - parts[2], abs=1e-9)
    assert found.settings["variance"] == pytest.approx(silverman**2)


def test_kernels_warn_about_isolated_points():
    x, y = TASKS["dense-25x25"].sample(100, 0)
    assert "100 samples are far apart in 50 dimensions" in PAIR_ESTIMATORS["kde"](x, y, 0).warnings[0]
    assert not PAIR_ESTIMATORS["kde"](x[:, :1], y[:, :1], 0).warnings


@pytest.mark.parametrize("name", ["binning", "adaptive"])
@pytest.mark.parametrize(("task", "bins"), [("normal-1x1", 14), ("swiss-roll-2x1", 5), ("dense-3x3", 2)])
def test_cells_hold_five_samples(name, task, bins):
    settings = PAIR_ESTIMATORS[name](*TASKS[task].sample(1000, 0), 0).settings
    assert settings["bins"]["bins"] == settings["y_bins"]["bins"] == bins
    columns = TASKS[task].x_width + TASKS[task].y_width
    assert bins**columns * 5 <= 1000 < (bins + 1) ** columns * 5


@pytest.mark.parametrize("name", ["binning", "adaptive"])
def test_too_many_dimensions_for_cells(name):
    with pytest.raises(RequestError, match="2 bins in each of 10 dimensions need 5,120 samples, got 1,000"):
        PAIR_ESTIMATORS[name](*TASKS["dense-5x5"].sample(1000, 0), 0)


def test_clusters_hold_five_samples_a_pair():
    assert PAIR_ESTIMATORS["clustering"](*TASKS["dense-5x5"].sample(1000, 0), 0).settings["clusters"] == 14


def test_names():
    assert list(chosen_estimators(["ksg", "gaussian"])) == ["ksg", "gaussian"]
    assert chosen_estimators(["all"]) == PAIR_ESTIMATORS
    for name, reason in NOT_FOR_PAIRS.items():
        with pytest.raises(RequestError, match=f"{name} cannot be compared .*{reason[:20]}"):
            chosen_estimators(["ksg", name])
    with pytest.raises(RequestError, match="unknown estimator 'magic'; known: gaussian, ksg"):
        chosen_estimators(["ksg", "magic"])
    with pytest.raises(RequestError, match="unknown estimator 'all'"):
        chosen_estimators(["all", "ksg"])
    with pytest.raises(RequestError, match="no estimator is named; known: gaussian, ksg"):
        chosen_estimators([])
