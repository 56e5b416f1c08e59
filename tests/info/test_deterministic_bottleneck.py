"""The deterministic bottleneck against all clusterings."""

import numpy as np
import pytest

from nmt_ib.info.blahut_arimoto import information, lagrangian, one_hot, solve
from nmt_ib.info.deterministic_bottleneck import solve_deterministic
from nmt_ib.info.joint_table import JointTable

BETAS = np.geomspace(0.5, 50, 30)


def table_of(seed: int, rows: int = 6, columns: int = 4) -> JointTable:
    return JointTable.of(np.random.default_rng(seed).dirichlet(np.full(rows * columns, 0.5)).reshape(rows, columns))


def clusterings(rows: int, highest: int = -1):
    """Every way to put rows into clusters, as labels."""
    if rows == 0:
        yield []
        return
    for label in range(highest + 2):
        for others in clusterings(rows - 1, max(highest, label)):
            yield [label, *others]


@pytest.mark.parametrize("seed", range(5))
def test_no_clustering_is_better(seed):
    table = table_of(seed)
    every = np.array(list(clusterings(6)))
    assert len(every) == 203  # Bell's number of 6
    h_t, i_y = information(table, one_hot(every, 6))
    best = (h_t - BETAS[:, None] * i_y).min(1)
    np.testing.assert_allclose(lagrangian(solve_deterministic(table, BETAS)), best, atol=1e-12)


def test_encoders_are_hard_and_never_have_a_lower_lagrangian_than_soft_ones():
    table = table_of(7)
    hard, soft = solve_deterministic(table, BETAS), solve(table, BETAS)
    assert set(np.unique(hard.encoder)) == {0.0, 1.0}
    assert (lagrangian(hard) >= lagrangian(soft) - 1e-7).all()
