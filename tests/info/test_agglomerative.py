"""Agglomerative clustering against all pairs of clusters."""

import numpy as np
import pytest

from nmt_ib.info.agglomerative import distinct, merges
from nmt_ib.info.blahut_arimoto import information, one_hot
from nmt_ib.info.joint_table import JointTable


def test_each_merge_has_the_smallest_loss_and_reports_it():
    joint = np.random.default_rng(3).dirichlet(np.full(48, 0.5)).reshape(12, 4)
    table, left, best = JointTable.of(joint), None, None
    for labels, lost in merges(table.joint):
        now = float(information(table, one_hot(labels, 12)[None])[1][0])
        if left is not None:
            assert now == pytest.approx(left - lost, abs=1e-12)
            assert now == pytest.approx(best, abs=1e-12)
        clusters = labels.max() + 1
        pairs = [np.where(labels == j, i, labels) for i in range(clusters) for j in range(i + 1, clusters)]
        best = information(table, one_hot(np.array(pairs), 12))[1].max() if pairs else 0.0
        left = now
    assert left == pytest.approx(0, abs=1e-12)


def test_distinct_merges_rows_with_equal_distributions():
    joint = np.array([[0.2, 0.1], [0.1, 0.05], [0.1, 0.45]])
    assert distinct(joint, 1e-9).tolist() == [0, 0, 1]
    assert distinct(joint, 10.0).tolist() == [0, 0, 0]
