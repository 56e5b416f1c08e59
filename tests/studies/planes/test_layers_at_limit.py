"""Layers compared with the optimal curve of their task, by hand and by inequalities."""

import math
from collections import Counter, defaultdict
from functools import partial

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.info.blahut_arimoto import solve
from nmt_ib.info.joint_table import JointTable
from nmt_ib.networks.batched import BatchedNetworks, NetworkTraining
from nmt_ib.networks.experiments import Experiment
from nmt_ib.networks.tasks import PlaneTask, sphere_task
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.studies.planes.layers_at_limit import ib_curve_of_task, layers_at_limit
from nmt_ib.studies.planes.networks import information_plane

BETAS = np.geomspace(1.01, 200, 40)


def soft_labels(seeds, steepness=1.5):
    """All 64 patterns of six bits; the more bits are set, the likelier is yes."""
    inputs = torch.from_numpy((np.arange(64)[:, None] >> np.arange(6) & 1).astype(np.float32))
    yes = torch.sigmoid(steepness * (inputs.sum(1) - 3))
    rows = torch.arange(64).expand(len(seeds), -1)
    return PlaneTask(inputs[None], torch.stack([1 - yes, yes], 1)[None], rows[:, :48], rows[:, 48:])


SMALL = Experiment(NetworkTraining((6, 4, 2, 2), batch_size=16, learning_rate=0.01), soft_labels, 30)


@pytest.fixture(scope="module")
def curve():
    return ib_curve_of_task(soft_labels([0]), BETAS)


def entropy_bits(shares):
    return -sum(share * math.log2(share) for share in shares if share)


def information_of_codes(codes, weights):
    """H(code) - H(code | other), from p(code, other) as a table of dictionaries."""
    joint = defaultdict(float)
    for code, (other, share) in zip(codes, weights, strict=True):
        joint[code, other] += share
    whole, others = Counter(), Counter()
    for (code, other), share in joint.items():
        whole[code] += share
        others[other] += share
    return entropy_bits(whole.values()) + entropy_bits(others.values()) - entropy_bits(joint.values())


def test_information_is_that_of_the_codes_and_the_probabilities(curve):
    task = soft_labels([3])
    states = BatchedNetworks(SMALL.training, [3]).forward(task.inputs)[1]
    ones, yes = task.inputs[0].sum(1).int().tolist(), task.targets[0, :, 1].tolist()
    for row, layer in zip(layers_at_limit(SMALL, [3], curve, epochs=[0]), states, strict=True):
        codes = [tuple(state) for state in np.digitize(layer[0].T.numpy(), np.linspace(-1, 1, 30))]
        answers = [(answer, p / 64) for p in yes for answer, p in ((1, p), (0, 1 - p))]
        assert row.fit.i_x_bits == pytest.approx(entropy_bits(n / 64 for n in Counter(codes).values()))
        assert row.sufficient_bits == pytest.approx(information_of_codes(codes, [(count, 1 / 64) for count in ones]))
        twice = [code for code in codes for _ in range(2)]
        assert row.fit.i_y_bits == pytest.approx(information_of_codes(twice, answers), abs=1e-6)


def test_no_layer_is_above_the_curve_and_training_moves_the_output_towards_it(curve):
    rows = layers_at_limit(SMALL, [0, 1], curve, epochs=[0, 5, 60])
    assert [(row.epoch, row.seed, row.layer) for row in rows] == [
        (epoch, seed, layer) for epoch in (0, 5, 60) for seed in (0, 1) for layer in (1, 2, 3)
    ]
    for row in rows:
        assert -1e-6 <= row.fit.i_y_bits <= row.sufficient_bits + 1e-6
        assert row.sufficient_bits <= row.fit.i_x_bits + 1e-6
        assert row.fit.below_bits > -1e-3
        assert row.encoder_beta is None or row.encoder_beta >= 0
    before, after = ([row.fit.below_bits for row in rows if (row.epoch, row.layer) == (e, 3)] for e in (0, 60))
    assert max(after) < min(before)


def test_a_network_does_not_depend_on_the_others_or_on_measurements(curve):
    together = layers_at_limit(SMALL, [4, 7], curve, epochs=[2, 9])
    alone = layers_at_limit(SMALL, [7], curve, epochs=[9])
    assert [row.fit.i_x_bits for row in together if (row.epoch, row.seed) == (9, 7)] == pytest.approx(
        [row.fit.i_x_bits for row in alone], abs=1e-3
    )


def test_patterns_with_equal_distributions_can_be_merged_without_loss(curve):
    p = soft_labels([0]).probabilities.double().numpy()
    p /= p.sum(1, keepdims=True)
    whole = solve(JointTable(np.full(64, 1 / 64), p, np.arange(64)), BETAS[::8], clusters=7)
    merged = [curve.points[place] for place in range(0, len(BETAS), 8)]
    np.testing.assert_allclose(whole.i_x_nats * BITS_PER_NAT, [point.i_x_bits for point in merged], atol=1e-4)
    np.testing.assert_allclose(whole.i_y_nats * BITS_PER_NAT, [point.i_y_bits for point in merged], atol=1e-5)
    assert curve.end_x_bits == pytest.approx(entropy_bits(math.comb(6, ones) / 64 for ones in range(7)))


def test_a_deterministic_task_has_a_straight_line_and_a_stochastic_one_has_none():
    assert ib_curve_of_task(sphere_task([0]), BETAS[:3]).deterministic
    found = ib_curve_of_task(partial(sphere_task, i_xy_bits=0.8)([0]), BETAS)
    assert not found.deterministic
    assert found.i_xy_bits == pytest.approx(0.8, abs=1e-6)
    assert len(found.critical_betas) > 3


def test_estimators_that_need_labels_refuse_soft_labels():
    with pytest.raises(RequestError, match="not a function of X"):
        information_plane(SMALL, [0], epochs=0)
