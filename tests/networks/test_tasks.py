"""What small networks learn: the rule on the sphere, linear teachers, digits."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from nmt_ib.errors import RequestError
from nmt_ib.networks.sphere_rule import soft_sphere_rule, sphere_energy, sphere_rule
from nmt_ib.networks.tasks import digit_task, sphere_task, teacher_task


def corners():
    golden = (1 + 5**0.5) / 2
    face = [(0, a, golden * b) for a in (-1, 1) for b in (-1, 1)]
    return np.array([point[-turn:] + point[:-turn] for turn in range(3) for point in face]) / math.hypot(1, golden)


@pytest.fixture(scope="module")
def spectra():
    """Power spectra of all patterns, from the harmonics themselves."""
    x, y, z = corners().T
    patterns = sphere_rule()[0]
    powers = [
        sum(np.abs(patterns @ sph_harm_y(degree, order, np.arccos(z), np.arctan2(y, x))) ** 2 for order in orders)
        for degree in range(7)
        for orders in [range(-degree, degree + 1)]
    ]
    return np.stack(powers, 1)


def test_points_are_alike_and_spread_out():
    cosines = corners() @ corners().T
    assert sorted(set(cosines[0].round(6))) == pytest.approx([-1, -(5**-0.5), 5**-0.5, 1], abs=1e-6)
    assert all(first == pytest.approx(second) for first, second in pairwise(np.sort(cosines)))


def test_there_are_64_classes_of_patterns_as_in_the_paper(spectra):
    assert len(np.unique(spectra.round(6), axis=0)) == 64


def test_rule_is_a_threshold_on_the_power_spectrum(spectra):
    degree = np.arange(7)
    energy = spectra @ np.exp(-0.1 * degree * (degree + 1))
    answers = sphere_rule()[1]
    assert energy[answers].min() > energy[~answers].max() + 1e-6


def test_rule_is_balanced_and_its_information_near_the_published_one():
    task = sphere_task([0])
    share = sphere_rule()[1].mean()
    assert share == pytest.approx(0.5, abs=0.02)
    assert task.i_xy_bits == pytest.approx(-share * math.log2(share) - (1 - share) * math.log2(1 - share))
    assert task.i_xy_bits == pytest.approx(0.999157, abs=1e-3)
    assert task.h_x_bits == 12
    assert "0.999157" in task.notes[0]


def test_turning_the_sphere_changes_no_answer():
    points, (patterns, answers) = corners(), sphere_rule()
    turn = np.roll(np.eye(3), 1, axis=0)  # about a diagonal: an icosahedron comes to lie on itself
    place = (points @ turn.T @ points.T).argmax(1)
    numbers = (patterns[:, place] @ 2 ** np.arange(12)).astype(int)
    assert sorted(place) == list(range(12))
    assert (answers[numbers] == answers).all()


def test_split_is_each_networks_own_and_whole():
    together, alone = sphere_task([3, 4], 0.45), sphere_task([4], 0.45)
    assert together.train.shape == (2, 1843)
    assert torch.equal(together.train[1:], alone.train)
    assert sorted(torch.cat([together.train[0], together.test[0]]).tolist()) == list(range(4096))
    with pytest.raises(RequestError, match="training share 1"):
        sphere_task([0], 1.0)


def test_teacher_has_the_signal_that_was_asked_for():
    task = teacher_task([0, 5], examples=4000, signal=3.0, irrelevant=70)
    answers = (task.inputs @ task.teacher.weights[:, :, None])[..., 0]
    noise = task.targets[..., 0] - answers
    assert answers.var(1).tolist() == pytest.approx([3, 3], rel=0.1)
    assert noise.var(1).tolist() == pytest.approx([1, 1], rel=0.1)
    assert not task.teacher.weights[:, 30:].any()
    assert task.i_xy_bits == pytest.approx(0.5 * math.log2(4))
    assert task.h_x_bits is None
    alone = teacher_task([5], examples=4000, signal=3.0, irrelevant=70)
    assert torch.equal(alone.inputs[0], task.inputs[1])
    assert torch.equal(alone.targets[0], task.targets[1])


def test_digits_are_learned_from_one_file_and_measured_on_the_other(tmp_path):
    for prefix, value in (("train", 255), ("t10k", 51)):
        head = bytes([0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 2])
        (tmp_path / f"{prefix}-images").write_bytes(head + bytes([value] * 24))
        (tmp_path / f"{prefix}-labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 0, 1, 2]))
    task = digit_task([0, 1], tmp_path)
    assert task.inputs.shape == (1, 12, 4)
    assert task.train.tolist() == [list(range(6))] * 2
    assert task.measured_inputs.unique().tolist() == pytest.approx([0.2])
    assert task.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert task.i_xy_bits == pytest.approx(math.log2(3))
    assert task.h_x_bits == pytest.approx(math.log2(6))


@pytest.mark.parametrize("bits", [0.99, 0.5])
def test_soft_rule_is_a_sigmoid_of_the_energy_that_tells_as_much_as_asked(bits):
    p = soft_sphere_rule(bits)
    _, energy, threshold = sphere_energy()
    assert p.sum(1) == pytest.approx(1)
    near = np.abs(energy - threshold) < 0.1
    steepness = np.log(p[near, 1] / p[near, 0]) / (energy[near] - threshold)
    assert steepness == pytest.approx(np.full(near.sum(), steepness[0]))
    assert ((p[:, 1] > 0.5) == sphere_rule()[1]).all()
    yes = p[:, 1].mean()
    known = [-sum(q * math.log2(q) for q in row if q > 0) for row in [(yes, 1 - yes), *p]]
    assert known[0] - sum(known[1:]) / 4096 == pytest.approx(bits)


def test_soft_task_has_no_labels():
    task = sphere_task([0, 1], i_xy_bits=0.9)
    assert task.i_xy_bits == pytest.approx(0.9, abs=1e-6)
    assert task.h_x_bits == 12
    assert task.notes == ()
    with pytest.raises(RequestError, match="not a function of X"):
        _ = task.labels
    for wrong in (0.0, 1.0):
        with pytest.raises(RequestError, match=f"I\\(X;Y\\) of {wrong:g} bits: expected between"):
            sphere_task([0], i_xy_bits=wrong)
