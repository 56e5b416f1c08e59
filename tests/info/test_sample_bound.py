"""Error bounds by hand and on samples."""

import numpy as np
import pytest

from nmt_ib.info.blahut_arimoto import information
from nmt_ib.info.joint_table import JointTable
from nmt_ib.info.sample_bound import sample_bound

CHANNEL = np.array([[0.45, 0.05], [0.05, 0.45]])


def test_bound_by_hand():
    # |T| = 2, a noiseless encoder of a fair bit: p(t|x) - 1/2 has norm sqrt(1/2), H(T|x) = 0.
    scale = (2 + np.sqrt(2 * np.log(4 / 0.05))) / np.sqrt(1e6)
    t_term = 2 * scale * np.sqrt(0.5) * np.log(1 / (scale * np.sqrt(0.5)))
    # H(T|y) is the same for both y.
    got = sample_bound(JointTable.of(CHANNEL), np.eye(2), 1_000_000, 0.95)
    assert got == pytest.approx((t_term, 2 * t_term))


def test_bound_holds_on_samples():
    generator = np.random.default_rng(0)
    truth = JointTable.of(generator.dirichlet(np.ones(12)).reshape(4, 3))
    encoder = generator.dirichlet(np.ones(2), size=4)
    exact = np.array(information(truth, encoder[None])).ravel()
    for _ in range(20):
        counted = JointTable.of(generator.multinomial(5000, truth.joint.ravel()).reshape(4, 3) / 5000)
        error = np.abs(np.array(information(counted, encoder[None])).ravel() - exact)
        assert (error <= sample_bound(counted, encoder, 5000, 0.95)).all()
