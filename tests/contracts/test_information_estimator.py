"""What every estimator of information promises; a new one inherits the suite by a line in ESTIMATORS."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import ndtr

import nmt_ib.info
from nmt_ib.errors import RequestError
from nmt_ib.info.binning import EqualCounts
from nmt_ib.info.neural import CriticTraining
from nmt_ib.info.tasks import TASKS
from nmt_ib.protocols import InformationEstimator
from nmt_ib.results.estimate import Estimate

QUICK = CriticTraining(steps=150, validation_interval=50)
# Estimators of numbers and numbers, of labels and labels, and of numbers and labels.
NUMBERS = {
    "gaussian": nmt_ib.info.gaussian_information,
    "ksg": nmt_ib.info.ksg_information,
    "ksg2": partial(nmt_ib.info.ksg_information, variant=2),
    "binning": partial(nmt_ib.info.binned_information, bins=EqualCounts(8), y_bins=EqualCounts(8), miller_madow=True),
    "infonce": partial(nmt_ib.info.neural_information, training=QUICK),
}
LABELS = {
    "discrete": nmt_ib.info.discrete_information,
    "miller-madow": partial(nmt_ib.info.discrete_information, miller_madow=True),
}
MIXED = {
    "binned-labels": partial(nmt_ib.info.binned_information, bins=EqualCounts(8), miller_madow=True),
    "clustering": partial(nmt_ib.info.clustered_information, clusters=12),
    "kde": partial(nmt_ib.info.kde_information, variance=0.1),
    "kde-lower": partial(nmt_ib.info.kde_information, variance=0.1, bound="lower"),
    "sp": partial(nmt_ib.info.sp_information, sigma=0.3, draws=3),
}
ESTIMATORS = {**NUMBERS, **LABELS, **MIXED}
SYMMETRIC = ["gaussian", "ksg", "ksg2", "binning", *LABELS]
RANDOM = {"infonce": 0.05, "clustering": 0.03, "sp": 0.03}  # nats that another order of the samples may move
RHO = 0.75
# What is lost to bins, clusters, noise or a critic; gained by a bound that is none.
MISSED = {"binning": 0.06, "infonce": 0.06, "binned-labels": 0.04, "clustering": 0.03, "kde": 0.05, "kde-lower": 0.08,
          "sp": 0.04}  # fmt: skip


@pytest.fixture(params=ESTIMATORS)
def name(request):
    return request.param


def labels_of(numbers):
    return (numbers[:, 0] > 0).astype(np.int64)


def sample(name, seed=0, samples=1000):
    """Correlated normals; where an estimator wants labels, their signs."""
    x, y = TASKS["normal-1x1"].sample(samples, seed)
    if name in LABELS:
        return labels_of(x), labels_of(y)
    return (x, labels_of(y)) if name in MIXED else (x, y)


def truth(name):
    """Nats of `sample`."""
    if name in NUMBERS:
        return TASKS["normal-1x1"].nats
    same = 0.5 + np.arcsin(RHO) / np.pi  # how often two signs agree (Sheppard 1899)
    signs = np.log(2) + same * np.log(same) + (1 - same) * np.log(1 - same)
    if name in LABELS:
        return signs
    x = np.linspace(-8, 8, 20_001)
    p = ndtr(RHO * x / np.sqrt(1 - RHO**2)).clip(1e-300, 1 - 1e-16)
    entropy = -(p * np.log(p) + (1 - p) * np.log1p(-p)) * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return np.log(2) - entropy.sum() * (x[1] - x[0])


def test_it_is_an_estimate_in_nats(name):
    assert isinstance(ESTIMATORS[name], InformationEstimator)
    found = ESTIMATORS[name](*sample(name))
    assert isinstance(found, Estimate)
    assert float(found) == found.nats
    assert type(found.nats) is float
    assert found.settings
    assert not found.warnings


def test_known_answer(name):
    found = ESTIMATORS[name](*sample(name, samples=2000))
    assert abs(found.nats - truth(name)) < 4 * np.nan_to_num(found.error) + MISSED.get(name, 0)


def test_shuffled_pairs_have_no_information(name):
    x, y = sample(name)
    found = ESTIMATORS[name](x, y[np.random.default_rng(1).permutation(len(y))])
    assert abs(found.nats) < 4 * (np.nan_to_num(found.error) or 0.002)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_it_is_symmetric(name):
    x, y = sample(name)
    assert ESTIMATORS[name](y, x).nats == pytest.approx(ESTIMATORS[name](x, y).nats, abs=1e-9)


def test_order_of_samples_does_not_matter(name):
    x, y = sample(name)
    order = np.random.default_rng(2).permutation(len(x))
    again = ESTIMATORS[name](x[order], y[order])
    assert again.nats == pytest.approx(ESTIMATORS[name](x, y).nats, abs=RANDOM.get(name, 1e-9))


def test_torch_is_numpy(name):
    x, y = sample(name)
    assert ESTIMATORS[name](torch.as_tensor(x), torch.as_tensor(y)) == ESTIMATORS[name](x, y)


def test_twice_the_same_and_arguments_as_they_were(name):
    x, y = sample(name)
    x_before, y_before = x.copy(), y.copy()
    state = torch.random.get_rng_state(), np.random.get_state()[1]
    assert ESTIMATORS[name](x, y) == ESTIMATORS[name](x, y)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(y, y_before)
    assert torch.equal(torch.random.get_rng_state(), state[0])
    np.testing.assert_array_equal(np.random.get_state()[1], state[1])


def test_constants_have_no_information(name):
    x, y = sample(name)
    assert float(ESTIMATORS[name](np.zeros_like(x), y)) == pytest.approx(0, abs=1e-6)
    assert float(ESTIMATORS[name](x, np.ones_like(y))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(name, wrong):
    x, y = sample(name)
    x = x.astype(float)
    x[3] = wrong
    with pytest.raises(RequestError, match="not finite"):
        ESTIMATORS[name](x, y)


def test_numbers_of_rows_are_equal(name):
    x, y = sample(name)
    with pytest.raises(RequestError, match="x has 1000 rows and y 999"):
        ESTIMATORS[name](x, y[:-1])
