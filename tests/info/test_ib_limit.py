"""The curve of a table: critical betas, notes, error bounds, layers."""

import json

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.ib_limit import beta_grid, ib_curve
from nmt_ib.results.ib_curve import IBCurve

CHANNEL = np.array([[0.45, 0.05], [0.05, 0.45]])
FUNCTION = np.zeros((6, 3))
FUNCTION[range(6), [0, 0, 1, 1, 1, 2]] = 1 / 6


def test_critical_beta_of_a_channel_is_exact():
    for low in (0.5, 2.0):
        assert ib_curve(CHANNEL, beta_grid(low, 20.0, 30)).critical_betas == pytest.approx((1.5625,))


def test_later_splits_are_where_clusters_become_unstable():
    table = np.array([[0.40, 0.10, 0, 0], [0.10, 0.40, 0, 0], [0, 0, 0.36, 0.14], [0, 0, 0.14, 0.36]]) / 2
    found = ib_curve(table, beta_grid(0.5, 20.0, 60))
    # Two blocks with disjoint y, and a binary symmetric channel in each: flip probabilities .2 and .28.
    assert found.critical_betas == pytest.approx((1, 0.6**-2, 0.44**-2), rel=1e-5)
    assert [point.clusters for point in found.points][-1] == 4


def test_a_discontinuous_transition_is_noted():
    table = np.random.default_rng(0).dirichlet(np.ones(64 * 64)).reshape(64, 64)
    found = ib_curve(table, beta_grid(5.0, 20.0, 30))
    assert "the transition from (0, 0) is discontinuous" in found.notes[0]
    assert 5 < found.critical_betas[0] < 17


def test_the_curve_of_a_function_is_a_straight_line_with_a_note():
    found = ib_curve(FUNCTION, beta_grid(0.5, 50.0, 20))
    assert found.deterministic
    assert found.critical_betas == pytest.approx((1,))
    assert "straight line" in found.notes[0]
    assert "all betas above 1 have the same optimum" in found.notes[0]
    bits = {(round(point.i_x_bits, 9), round(point.i_y_bits, 9)) for point in found.points}
    assert bits == {(0, 0), (1.459147917, 1.459147917)}  # H(1/3, 1/2, 1/6)
    assert found.i_y_bits_at(0.7) == pytest.approx(0.7)
    assert found.fit("layer", 1.0, 0.8).beta == pytest.approx(1)


def test_independent_variables_have_no_critical_beta():
    found = ib_curve(np.outer([0.2, 0.3, 0.5], [0.4, 0.6]), beta_grid(0.5, 50.0, 5))
    assert found.critical_betas == ()
    assert found.i_xy_bits == pytest.approx(0, abs=1e-9)
    assert "nearly independent" in found.notes[0]


def test_distortion_and_rate_are_the_same_curve():
    for point in (found := ib_curve(CHANNEL, [1.6, 3.0])).points:
        assert point.distortion_bits == pytest.approx(found.i_xy_bits - point.i_y_bits)


def test_layers_get_the_beta_of_the_nearest_point():
    found = ib_curve(CHANNEL, beta_grid(0.5, 50.0, 200))
    point = next(point for point in found.points if point.i_x_bits > 0.5)
    fit = found.fit("below", point.i_x_bits, point.i_y_bits - 0.1)
    assert fit.below_bits == pytest.approx(0.1, abs=1e-9)
    assert 0 < fit.distance_bits < 0.1
    on = found.fit("on", point.i_x_bits, point.i_y_bits)
    assert on.beta == pytest.approx(point.beta)
    assert on.distance_bits == pytest.approx(0)
    assert found.fit("far", 12.0, 0.54).beta is None
    assert found.fit("none", 0.0, 0.0).beta == pytest.approx(1.5625)
    assert found.fit("impossible", 0.2, 0.4).below_bits < 0


def test_json_round_trip_and_html():
    found = ib_curve(CHANNEL, [1.6, 3.0], samples=1000)
    assert IBCurve.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert len(found.to_dataframe()) == 2
    assert "i_x_bits" in found._repr_html_()


def test_wrong_betas_and_methods_are_refused():
    for wrong in ([], [-1.0], [float("nan")]):
        with pytest.raises(RequestError, match="expected at least one beta"):
            ib_curve(CHANNEL, wrong)
    with pytest.raises(RequestError, match="unknown method"):
        ib_curve(CHANNEL, [1.0], method="ba")
    with pytest.raises(RequestError, match="expected at least 2, and 0 < smallest < largest"):
        beta_grid(5.0, 0.5, 10)


def test_deterministic_bottleneck_has_hard_points():
    found = ib_curve(CHANNEL, beta_grid(0.5, 10.0, 20), method="dib")
    assert {round(point.i_x_bits, 9) for point in found.points} == {0, 1}
    assert found.critical_betas == pytest.approx((1 / found.i_xy_bits,))
    assert "equal Lagrangians" in found.notes[0]


def test_a_grid_too_coarse_to_separate_splits_is_noted():
    table = np.array([[0.36, 0.03, 0.01], [0.04, 0.22, 0.04], [0.02, 0.03, 0.25]])
    coarse, fine = (ib_curve(table, beta_grid(1.0, 20.0, points)) for points in (3, 40))
    assert "increases from 1 to 3 in one step: a finer grid" in coarse.notes[0]
    assert (len(fine.critical_betas), fine.notes) == (2, ())
