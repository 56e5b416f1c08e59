"""Clusters without duplicates, and the betas at which they split."""

import numpy as np
import pytest

from nmt_ib.info.blahut_arimoto import information, lagrangian, solve
from nmt_ib.info.critical_betas import critical_betas, distinct_clusters, simplest_encoders
from nmt_ib.info.joint_table import JointTable


def channel(flip):
    """A binary symmetric channel with a fair input."""
    return JointTable.of(np.array([[0.5 - flip / 2, flip / 2], [flip / 2, 0.5 - flip / 2]]))


def random_table(seed):
    return JointTable.of(np.random.default_rng(seed).dirichlet(np.full(15, 0.5)).reshape(5, 3))


def test_empty_and_duplicate_clusters_are_removed():
    encoder = np.array([[0.5, 0.4, 0.1, 0.0], [0.0, 0.0, 1.0, 0.0]])
    table = JointTable.of(np.array([[0.5, 0.1], [0.1, 0.3]]))
    duplicates = encoder[:, [0, 0, 2, 3]] * [0.6, 0.4, 1.0, 1.0] + [[0.36, 0.24, 0, 0], [0, 0, 0, 0]]
    duplicates /= duplicates.sum(1, keepdims=True)
    found = distinct_clusters(table, duplicates)
    assert found.shape == (2, 2)
    before, after = (information(table, each[None])[1][0] for each in (duplicates, found))
    assert after == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_simplest_encoders_are_optimal_and_their_clusters_increase_with_beta(seed):
    table = random_table(seed)
    found = solve(table, np.geomspace(1.1, 30, 25))
    simplest = simplest_encoders(table, found)
    for beta, encoder, optimum in zip(found.betas, simplest, lagrangian(found), strict=True):
        i_x, i_y = (nats[0] for nats in information(table, encoder[None]))
        assert i_x - beta * i_y == pytest.approx(optimum, abs=1e-4)


@pytest.mark.parametrize("flip", [0.1, 0.3])
@pytest.mark.parametrize("lowest", [0.5, 30.0])
def test_the_first_critical_beta_of_a_channel(flip, lowest):
    table = channel(flip)
    found = solve(table, np.geomspace(lowest, 60, 30))
    assert critical_betas(table, found, simplest_encoders(table, found)) == pytest.approx([(1 - 2 * flip) ** -2])
