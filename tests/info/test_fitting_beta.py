"""The beta of an encoder: known for fixed points of the bottleneck, by trial for others."""

import numpy as np
import pytest

from nmt_ib.info.blahut_arimoto import information, solve
from nmt_ib.info.fitting_beta import encoder_of_codes, fitting_beta
from nmt_ib.info.ib_limit import ib_curve
from nmt_ib.info.joint_table import JointTable, first_critical_beta
from nmt_ib.numerics import BITS_PER_NAT

CHANNEL = JointTable.of(np.array([[0.45, 0.05], [0.05, 0.45]]))


def random_table(seed, rows=6, columns=3):
    return JointTable.of(np.random.default_rng(seed).dirichlet(np.full(rows * columns, 0.5)).reshape(rows, columns))


def divergence_from_optimal(table, encoder, beta):
    """Mean KL[q(t|x) || q_beta(t|x)], term by term."""
    q_t = [sum(p * row[t] for p, row in zip(table.p_x, encoder, strict=True)) for t in range(encoder.shape[1])]
    q_y = [
        sum(p * row[t] * y for p, row, y in zip(table.p_x, encoder, table.p_y_given_x, strict=True)) / q_t[t]
        for t in range(encoder.shape[1])
    ]
    total = 0.0
    for p, row, y in zip(table.p_x, encoder, table.p_y_given_x, strict=True):
        weights = [q_t[t] * np.exp(-beta * (y * np.log(y / q_y[t])).sum()) for t in range(len(q_t))]
        total += p * sum(q * np.log(q * sum(weights) / w) for q, w in zip(row, weights, strict=True) if q > 0)
    return total


@pytest.mark.parametrize("table", [CHANNEL, random_table(0), random_table(1)], ids=["channel", "one", "another"])
def test_an_optimal_encoder_lies_on_the_curve_and_has_its_own_beta(table):
    betas = first_critical_beta(table.p_x, table.p_y_given_x) * np.array([1.5, 2.5, 4.0])
    curve = ib_curve(table.joint, betas)
    for beta, encoder in zip(betas, solve(table, betas).encoder, strict=True):
        i_x, i_y = (float(nats[0]) * BITS_PER_NAT for nats in information(table, encoder[None]))
        fit = curve.fit("optimal", i_x, i_y)
        assert fit.below_bits == pytest.approx(0, abs=1e-6)
        assert fit.beta == pytest.approx(beta)
        assert fitting_beta(table, encoder) == pytest.approx(beta, rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_beta_fits_an_encoder_better(seed):
    table = random_table(seed)
    encoder = np.random.default_rng(seed).dirichlet(np.full(4, 0.7), size=len(table.p_x))
    found = fitting_beta(table, encoder)
    least = divergence_from_optimal(table, encoder, found)
    for other in (0.0, 0.5 * found, 0.99 * found, 1.01 * found, 2 * found):
        assert divergence_from_optimal(table, encoder, other) > least


def test_an_uninformative_encoder_has_beta_0_and_a_perfect_one_has_none():
    assert fitting_beta(CHANNEL, np.ones((2, 1))) == 0
    assert fitting_beta(CHANNEL, np.full((2, 2), 0.5)) == 0
    assert fitting_beta(CHANNEL, np.eye(2)) is None
    assert fitting_beta(CHANNEL, np.eye(3)[:2]) is None  # a code that never occurs


def test_codes_of_equal_rows_are_one_encoder_with_the_same_information_about_y():
    rows = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])[[0, 1, 0, 2, 1, 0, 2, 0]]
    codes = np.array([0, 1, 0, 1, 1, 2, 2, 0])
    table = JointTable.of(rows / 8)
    encoder = encoder_of_codes(table, codes)
    assert encoder == pytest.approx(np.array([[3 / 4, 0, 1 / 4], [0, 1, 0], [0, 1 / 2, 1 / 2]]))
    # I(T;Y) from p(t, y), which needs no merged rows.
    joint = np.array([rows[codes == code].sum(0) / 8 for code in range(3)])
    wanted = (joint * np.log(joint / joint.sum(1, keepdims=True) / joint.sum(0))).sum()
    assert information(table, encoder[None])[1][0] == pytest.approx(wanted)
