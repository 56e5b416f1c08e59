"""The Gaussian bottleneck against its rate-distortion function and a finely discretised table."""

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.gaussian_bottleneck import gaussian_ib_curve
from nmt_ib.info.ib_limit import ib_curve


@pytest.mark.parametrize(
    ("rho", "i_xy", "i_y"),
    [
        (0.5, 0.207519, [0.054853, 0.096323, 0.149780, 0.192645]),
        (0.75, 0.596323, [0.129862, 0.238219, 0.395273, 0.540568]),
        (0.9, 1.197964, [0.195353, 0.374519, 0.674618, 1.027571]),
    ],
)
def test_curve_is_that_of_the_rate_distortion_function(rho, i_xy, i_y):
    # -.5 log2(1 - rho^2 (1 - 2^-2R)) at R = .25, .5, 1, 2 bits
    found = gaussian_ib_curve(np.array([[4, 2 * rho], [2 * rho, 1]]), 1, np.geomspace(1, 500, 4000))
    assert found.critical_betas == pytest.approx((rho**-2,))
    assert found.i_xy_bits == pytest.approx(i_xy, abs=1e-6)
    assert [found.i_y_bits_at(rate) for rate in (0.25, 0.5, 1, 2)] == pytest.approx(i_y, abs=2e-6)


def test_dimensions_enter_one_by_one_and_the_curve_is_that_of_a_fine_table():
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
        (np.array([[1.0, 1.0], [1.0, 1.0]]), 1, "a linear function of X"),
        (np.array([[0.0, 0.0], [0.0, 1.0]]), 1, "not positive definite"),
        (np.eye(2), 2, "2 of 2 dimensions"),
    ],
)
def test_wrong_covariances_are_refused(covariance, width, message):
    with pytest.raises(RequestError, match=message):
        gaussian_ib_curve(covariance, width, [2.0])
