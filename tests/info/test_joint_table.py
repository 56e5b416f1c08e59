"""Tables of joint probabilities: what is refused, what is merged, and their information."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_ib.errors import RequestError
from nmt_ib.info.joint_table import JointTable, channel_nats, first_critical_beta
from nmt_ib.numerics import BITS_PER_NAT


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[0.5, 0.5]], "1 x 2: expected at least 2 rows"),
        ([[0.5], [0.5]], "2 x 1"),
        ([[0.6, -0.1], [0.2, 0.3]], "row 1, column 2 is -0.1"),
        ([[0.6, float("nan")], [0.2, 0.2]], "row 1, column 2 is nan"),
        ([[0.6, float("inf")], [0.2, 0.2]], "row 1, column 2 is inf"),
        ([[0.6, 0.2], [0.2, 0.2]], "sum to 1.2"),
        ([[0.0, 0.0], [0.0, 0.0]], "sum to 0"),
    ],
)
def test_says_what_is_wrong(table, message):
    with pytest.raises(RequestError, match=message):
        JointTable.of(np.array(table))


def test_rounding_errors_of_the_sum_are_normalised():
    assert JointTable.of(np.array([[0.25, 0.25], [0.25, 0.2500005]])).p_x.sum() == pytest.approx(1, abs=1e-15)


def test_rows_with_equal_distributions_are_merged_and_empty_ones_removed():
    table = JointTable.of(np.array([[0.1, 0.1, 0], [0.4, 0, 0], [0.2, 0.2, 0], [0, 0, 0]]))
    assert table.row_of.tolist() == [0, 1, 0, -1]
    np.testing.assert_allclose(table.p_x, [0.6, 0.4])
    np.testing.assert_allclose(table.p_y_given_x, [[0.5, 0.5], [1, 0]])


def test_information_of_a_channel_and_of_a_function():
    channel = JointTable.of(np.array([[0.45, 0.05], [0.05, 0.45]]))
    assert channel.i_xy_nats * BITS_PER_NAT == pytest.approx(0.531004, abs=1e-6)  # 1 - h(.1)
    assert not channel.deterministic
    function = JointTable.of(np.array([[0.25, 0], [0.25, 0], [0, 0.5]]))
    assert function.deterministic
    assert function.i_xy_nats * BITS_PER_NAT == pytest.approx(1)


def test_information_of_a_channel_with_uniform_input_is_that_of_its_table():
    p_y_given_x = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
    assert channel_nats(p_y_given_x) == pytest.approx(JointTable.of(p_y_given_x / 3).i_xy_nats)


@pytest.mark.parametrize("flip", [0.05, 0.1, 0.2, 0.4])
def test_first_critical_beta_of_a_channel(flip):
    table = JointTable.of(np.array([[0.5 - flip / 2, flip / 2], [flip / 2, 0.5 - flip / 2]]))
    assert first_critical_beta(table.p_x, table.p_y_given_x) == pytest.approx((1 - 2 * flip) ** -2)


def test_first_critical_beta_of_independent_variables_is_infinite():
    assert first_critical_beta(np.array([0.3, 0.7]), np.array([[0.2, 0.8], [0.2, 0.8]])) == np.inf


@settings(deadline=None)
@given(st.integers(0, 10_000), st.tuples(*[st.integers(2, 6)] * 4), st.sampled_from([0.05, 1.0]))
def test_data_processing_inequality(seed, sizes, evenness):
    # Y - X - T1 - T2: no step of a Markov chain increases the information about an earlier variable.
    generator = np.random.default_rng(seed)
    table, first, second = (
        generator.dirichlet(np.full(columns, evenness), size=rows)
        for rows, columns in zip(sizes, sizes[1:], strict=False)
    )
    start = generator.dirichlet(np.full(sizes[0], 1.0))[:, None] * table
    known = [JointTable.of(joint).i_xy_nats for joint in (start, start @ first, start @ first @ second)]
    assert known[0] >= known[1] - 1e-9
    assert known[1] >= known[2] - 1e-9
