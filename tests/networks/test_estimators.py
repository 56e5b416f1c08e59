"""Estimators of the layers of small networks against each other and against known information."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.networks.batched import NetworkTraining
from nmt_ib.networks.estimators import ESTIMATORS
from nmt_ib.networks.experiments import EXPERIMENTS
from nmt_ib.networks.snapshots import EstimatorSettings
from nmt_ib.networks.tasks import PlaneTask, teacher_task
from tests.tiny_networks import SMALL, few_patterns, snapshot_of


def test_sample_propagation_lies_between_the_bounds_for_the_same_noise():
    snapshot = snapshot_of(SMALL.training, few_patterns([0, 1]), EstimatorSettings(noise_variance=0.01), (0, 1))
    bounds = {(row.network, row.layer, row.estimator): row for row in ESTIMATORS["kde"](snapshot)}
    for row in ESTIMATORS["sp"](snapshot):
        low, high = (bounds[row.network, row.layer, f"kde-{name}"] for name in ("lower", "upper"))
        assert low.i_x_bits - 0.1 < row.i_x_bits < high.i_x_bits + 0.1


def test_binning_is_the_entropy_of_the_bins():
    snapshot = snapshot_of(SMALL.training, few_patterns([0]))
    codes = [tuple(row) for row in np.digitize(snapshot.layers[1][1][0].T.numpy(), np.linspace(-1, 1, 30))]
    shares = np.array([codes.count(code) for code in set(codes)]) / len(codes)
    found = next(row for row in ESTIMATORS["binning"](snapshot) if row.layer == 2)
    assert found.i_x_bits == pytest.approx(-shares @ np.log2(shares))


def test_internal_noise_of_one_unit_gives_the_information_of_its_channel():
    # Two inputs at tanh(+-atanh(.5)) = +-.5 with noise .5: a binary input over a Gaussian channel, .485944 bits.
    training = NetworkTraining((1, 1, 2), noise=0.5)
    inputs = torch.tensor([-1.0, 1.0]).repeat(500)[:, None]
    targets = torch.nn.functional.one_hot((inputs[:, 0] > 0).long(), 2).float()
    rows = torch.arange(1000)[None]
    snapshot = snapshot_of(training, PlaneTask(inputs[None], targets[None], rows, rows))
    snapshot.networks.weights[0][:] = math.atanh(0.5)
    (found,) = ESTIMATORS["sp"](snapshot)
    assert found.i_x_bits == pytest.approx(0.485944, abs=0.06)
    assert found.i_y_bits == pytest.approx(0.485944, abs=0.06)


def test_exact_information_is_that_of_the_joint_covariance():
    training = replace(EXPERIMENTS["saxe-irrelevant"].training, widths=(100, 4, 1))
    snapshot = snapshot_of(training, teacher_task([2], irrelevant=70), EstimatorSettings(noise_variance=0.5), (2,))
    found = {(row.layer, row.input_part): row for row in ESTIMATORS["exact"](snapshot)}
    w = snapshot.networks.weights[0][0]
    noise = 0.5 * torch.eye(4, dtype=torch.float64)
    whole, irrelevant = (part @ part.T / 100 + noise for part in (w, w[:, 30:]))
    i_relevant = 0.5 * (whole.logdet() - irrelevant.logdet()) / math.log(2)
    assert found[1, "relevant"].i_x_bits == pytest.approx(float(i_relevant))
    teacher = snapshot.task.teacher.weights[0]
    covariance = w @ teacher / 100
    i_y = -0.5 * torch.log2(1 - covariance @ whole.inverse() @ covariance / (teacher @ teacher / 100 + 1))
    assert found[1, "whole"].i_y_bits == pytest.approx(float(i_y))


def test_exact_information_needs_linear_networks():
    with pytest.raises(RequestError, match="linear network"):
        next(ESTIMATORS["exact"](snapshot_of(SMALL.training, few_patterns([0]))))
