"""The curve as a user gets it: critical betas, words about a function, bounds, layers, the Gaussian closed form."""

import json

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.blahut_arimoto import information
from nmt_ib.info.gaussian_bottleneck import gaussian_ib_curve
from nmt_ib.info.ib_limit import beta_grid, ib_curve
from nmt_ib.info.joint_table import JointTable
from nmt_ib.info.sample_bound import sample_bound
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
    # Two blocks that y never confuses, then in each a binary symmetric channel: flips .2 and .28.
    assert found.critical_betas == pytest.approx((1, 0.6**-2, 0.44**-2), rel=1e-5)
    assert [point.clusters for point in found.points][-1] == 4


def test_a_jump_is_told():
    table = np.random.default_rng(0).dirichlet(np.ones(64 * 64)).reshape(64, 64)
    found = ib_curve(table, beta_grid(5.0, 20.0, 30))
    assert "leaves (0, 0) by a jump" in found.notes[0]
    assert 5 < found.critical_betas[0] < 17


def test_y_that_is_a_function_of_x_is_said_in_words_and_is_a_straight_line():
    found = ib_curve(FUNCTION, beta_grid(0.5, 50.0, 20))
    assert found.deterministic
    assert found.critical_betas == pytest.approx((1,))
    assert "straight line" in found.notes[0]
    assert "every beta above 1 has the same optimum" in found.notes[0]
    bits = {(round(point.i_x_bits, 9), round(point.i_y_bits, 9)) for point in found.points}
    assert bits == {(0, 0), (1.459147917, 1.459147917)}  # H(1/3, 1/2, 1/6)
    assert found.i_y_bits_at(0.7) == pytest.approx(0.7)
    assert found.fit("layer", 1.0, 0.8).beta == pytest.approx(1)


def test_strangers_have_no_critical_beta():
    found = ib_curve(np.outer([0.2, 0.3, 0.5], [0.4, 0.6]), beta_grid(0.5, 50.0, 5))
    assert found.critical_betas == ()
    assert found.i_xy_bits == pytest.approx(0, abs=1e-9)
    assert "next to nothing" in found.notes[0]


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


def test_survives_json_and_shows_itself():
    found = ib_curve(CHANNEL, [1.6, 3.0], samples=1000)
    assert IBCurve.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert len(found.to_dataframe()) == 2
    assert "i_x_bits" in found._repr_html_()


def test_sample_bound_by_hand():
    # |T| = 2, a clean encoder of a fair bit: p(t|x) - 1/2 has length sqrt(1/2), H(T|x) = 0.
    scale = (2 + np.sqrt(2 * np.log(4 / 0.05))) / np.sqrt(1e6)
    of_t = 2 * scale * np.sqrt(0.5) * np.log(1 / (scale * np.sqrt(0.5)))
    # H(T|y) is the same for both y.
    got = sample_bound(JointTable.of(CHANNEL), np.eye(2), 1_000_000, 0.95)
    assert got == pytest.approx((of_t, 2 * of_t))


def test_sample_bound_holds_on_samples():
    generator = np.random.default_rng(0)
    truth = JointTable.of(generator.dirichlet(np.ones(12)).reshape(4, 3))
    encoder = generator.dirichlet(np.ones(2), size=4)
    exact = np.array(information(truth, encoder[None])).ravel()
    for _ in range(20):
        counted = JointTable.of(generator.multinomial(5000, truth.joint.ravel()).reshape(4, 3) / 5000)
        error = np.abs(np.array(information(counted, encoder[None])).ravel() - exact)
        assert (error <= sample_bound(counted, encoder, 5000, 0.95)).all()


@pytest.mark.parametrize(
    ("rho", "i_xy", "i_y"),
    [
        (0.5, 0.207519, [0.054853, 0.096323, 0.149780, 0.192645]),
        (0.75, 0.596323, [0.129862, 0.238219, 0.395273, 0.540568]),
        (0.9, 1.197964, [0.195353, 0.374519, 0.674618, 1.027571]),
    ],
)
def test_gaussian_curve(rho, i_xy, i_y):
    # -.5 log2(1 - rho^2 (1 - 2^-2R)) at R = .25, .5, 1, 2 bits
    found = gaussian_ib_curve(np.array([[4, 2 * rho], [2 * rho, 1]]), 1, np.geomspace(1, 500, 4000))
    assert found.critical_betas == pytest.approx((rho**-2,))
    assert found.i_xy_bits == pytest.approx(i_xy, abs=1e-6)
    assert [found.i_y_bits_at(rate) for rate in (0.25, 0.5, 1, 2)] == pytest.approx(i_y, abs=2e-6)


def test_gaussian_dimensions_come_in_one_by_one_and_agree_with_a_finely_cut_table():
    covariance = np.eye(4)
    covariance[0, 2] = covariance[2, 0] = 0.9
    covariance[1, 3] = covariance[3, 1] = 0.5
    assert gaussian_ib_curve(covariance, 2, [10.0]).critical_betas == pytest.approx((0.9**-2, 4))
    cells = np.linspace(-4, 4, 61)
    x, y = np.meshgrid(cells, cells, indexing="ij")
    table = np.exp(-(x**2 - 2 * 0.9 * x * y + y**2) / (2 * (1 - 0.81)))
    betas = [1.5, 2.0, 3.0]
    wanted = gaussian_ib_curve(np.array([[1, 0.9], [0.9, 1]]), 1, betas).points
    for got, exact in zip(ib_curve(table / table.sum(), betas).points, wanted, strict=True):
        assert got.i_x_bits == pytest.approx(exact.i_x_bits, abs=5e-3)
        assert got.i_y_bits == pytest.approx(exact.i_y_bits, abs=5e-3)


@pytest.mark.parametrize(
    ("covariance", "width", "message"),
    [
        (np.array([[1.0, 1.0], [1.0, 1.0]]), 1, "without noise"),
        (np.array([[0.0, 0.0], [0.0, 1.0]]), 1, "not positive definite"),
        (np.eye(2), 2, "2 of 2 dimensions"),
    ],
)
def test_gaussian_says_what_is_wrong(covariance, width, message):
    with pytest.raises(RequestError, match=message):
        gaussian_ib_curve(covariance, width, [2.0])


def test_wrong_betas_and_methods_are_refused():
    for wrong in ([], [-1.0], [float("nan")]):
        with pytest.raises(RequestError, match="expected at least one beta"):
            ib_curve(CHANNEL, wrong)
    with pytest.raises(RequestError, match="unknown method"):
        ib_curve(CHANNEL, [1.0], method="ba")
    with pytest.raises(RequestError, match="expected at least 2, from above 0"):
        beta_grid(5.0, 0.5, 10)


def test_deterministic_bottleneck_has_hard_points():
    found = ib_curve(CHANNEL, beta_grid(0.5, 10.0, 20), method="dib")
    assert {round(point.i_x_bits, 9) for point in found.points} == {0, 1}
    assert found.critical_betas == pytest.approx((1 / found.i_xy_bits,))
    assert "cost the same" in found.notes[0]


def test_a_grid_too_coarse_to_tell_splits_apart_says_so():
    table = np.array([[0.36, 0.03, 0.01], [0.04, 0.22, 0.04], [0.02, 0.03, 0.25]])
    coarse, fine = (ib_curve(table, beta_grid(1.0, 20.0, points)) for points in (3, 40))
    assert "clusters go 1 to 3: a finer grid" in coarse.notes[0]
    assert (len(fine.critical_betas), fine.notes) == (2, ())
