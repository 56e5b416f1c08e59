"""What small networks learn: the rule on the sphere, linear teachers, digits."""

import math

import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.networks.sphere_rule import sphere_rule
from nmt_ib.networks.tasks import digit_task, sphere_task, teacher_task


def test_rule_is_balanced_and_its_information_near_the_published_one():
    task = sphere_task([0])
    share = sphere_rule()[1].mean()
    assert share == pytest.approx(0.5, abs=0.02)
    assert task.i_xy_bits == pytest.approx(-share * math.log2(share) - (1 - share) * math.log2(1 - share))
    assert task.i_xy_bits == pytest.approx(0.999157, abs=1e-3)
    assert task.h_x_bits == 12
    assert "0.999157" in task.notes[0]


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
