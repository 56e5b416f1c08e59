"""Gaussian information against closed forms, other decompositions and many samples."""

import math

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.gaussian import gaussian_information, gaussian_nats, linear_input_nats, linear_output_nats
from nmt_ib.info.tasks import TASKS


@pytest.fixture
def network():
    """Weights, a teacher and correlated inputs."""
    generator = np.random.default_rng(0)
    root = generator.standard_normal((6, 6))
    return generator.standard_normal((3, 6)), generator.standard_normal((1, 6)), root @ root.T / 6


def test_two_variables():
    for rho in (0.0, 0.5, -0.9):
        found = gaussian_nats(np.array([[4, 2 * rho], [2 * rho, 1]]), 1)
        assert found == pytest.approx(-0.5 * math.log(1 - rho**2), abs=1e-12)


def test_dense_correlations_have_the_known_figures():
    # Off the diagonal .5 everywhere; figures from the determinants (1 - r)^(n - 1) (1 + (n - 1) r).
    for width, nats in {2: 0.293893, 3: 0.413339, 5: 0.592812, 25: 1.292184, 50: 1.624265}.items():
        covariance = np.full((2 * width, 2 * width), 0.5) + 0.5 * np.eye(2 * width)
        assert gaussian_nats(covariance, width) == pytest.approx(nats, abs=5e-7)


def test_a_layer_knows_what_the_joint_covariance_says(network):
    weights, _, covariance = network
    both = np.concatenate([np.eye(6), weights]) @ covariance @ np.concatenate([np.eye(6), weights]).T
    both[6:, 6:] += 0.3 * np.eye(3)
    assert linear_input_nats(weights, covariance, 0.3) == pytest.approx(gaussian_nats(both, 6), abs=1e-9)
    for inputs in ([0, 2], range(2, 6), [5]):
        kept = [*inputs, 6, 7, 8]
        expected = gaussian_nats(both[np.ix_(kept, kept)], len(inputs))
        assert linear_input_nats(weights, covariance, 0.3, inputs) == pytest.approx(expected, abs=1e-9)
    assert linear_input_nats(weights, covariance, 0.3, []) == 0


def test_one_unit_is_a_gaussian_channel():
    weights = np.array([[3.0, 4.0]])
    assert linear_input_nats(weights, np.eye(2), 0.5) == pytest.approx(0.5 * math.log(1 + 25 / 0.5))
    assert linear_input_nats(weights, np.eye(2), 0.5, [0]) == pytest.approx(0.5 * math.log(25.5 / 16.5))


def test_a_layer_s_answer(network):
    weights, teacher, covariance = network
    found = linear_output_nats(weights, teacher, covariance, 0.3, 0.2)
    cross = weights @ covariance @ teacher.T
    noisy = weights @ covariance @ weights.T + 0.3 * np.eye(3)
    explained = (cross.T @ np.linalg.solve(noisy, cross)).item() / ((teacher @ covariance @ teacher.T).item() + 0.2)
    assert found == pytest.approx(-0.5 * math.log(1 - explained), abs=1e-12)
    most = 0.5 * math.log(1 + (teacher @ covariance @ teacher.T).item() / 0.2)
    assert found < min(most, linear_input_nats(weights, covariance, 0.3))
    assert linear_output_nats(0 * weights, teacher, covariance, 0.3, 0.2) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_data_processing_inequality_of_a_linear_network(seed):
    # T1 = W1 X + Z1, T2 = W2 T1 + Z2: the second layer knows no more, of the input or of the teacher's answer.
    generator = np.random.default_rng(seed)
    x, first, second, teacher = np.eye(4), *(generator.standard_normal(shape) for shape in ((3, 4), (3, 3), (2, 4)))
    # Everything as weights of the independent X, Z1, Z2, Z of the answer.
    rows = {
        "x": np.hstack([x, np.zeros((4, 8))]),
        "t1": np.hstack([first, np.eye(3), np.zeros((3, 5))]),
        "t2": np.hstack([second @ first, second, np.eye(3), np.zeros((3, 2))]),
        "y": np.hstack([teacher, np.zeros((2, 6)), np.eye(2)]),
    }

    def nats(one, other):
        both = np.vstack([rows[one], rows[other]])
        return gaussian_nats(both @ both.T, len(rows[one]))

    assert nats("x", "t1") == pytest.approx(linear_input_nats(first, x, 1.0), abs=1e-9)
    assert nats("x", "t2") < nats("x", "t1")
    assert nats("y", "t2") < nats("y", "t1") < nats("y", "x")


def test_samples_of_a_network_agree(network):
    weights, teacher, covariance = network
    generator = np.random.default_rng(1)
    x = generator.multivariate_normal(np.zeros(6), covariance, 100_000)
    t = x @ weights.T + math.sqrt(0.3) * generator.standard_normal((100_000, 3))
    y = x @ teacher.T + math.sqrt(0.2) * generator.standard_normal((100_000, 1))
    for partner, exact in (
        (x, linear_input_nats(weights, covariance, 0.3)),
        (x[:, :2], linear_input_nats(weights, covariance, 0.3, [0, 1])),
        (y, linear_output_nats(weights, teacher, covariance, 0.3, 0.2)),
    ):
        found = gaussian_information(t, partner)
        assert abs(found.nats - exact) < 4 * found.error


@pytest.mark.parametrize("name", ["dense-3x3", "two-pairs-3x3", "normal-1x1"])
def test_small_samples_have_no_bias(name):
    task = TASKS[name]
    found = [gaussian_information(*task.sample(30, seed)) for seed in range(400)]
    nats = np.array([one.nats for one in found])
    assert abs(nats.mean() - task.nats) < 4 * nats.std() / 20
    assert 0.7 < np.mean([one.error for one in found]) / nats.std() < 1.5


def test_directions_without_spread_do_not_count():
    x, y = TASKS["normal-1x1"].sample(200, 0)
    plain = gaussian_information(x, y).nats
    doubled = gaussian_information(np.concatenate([x, 2 * x + 5, np.full_like(x, 1e6)], 1), y)
    assert doubled.nats == pytest.approx(plain, abs=1e-9)
    assert doubled.settings["x_rank"] == 1
    assert float(gaussian_information(np.ones((200, 2)), y)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_nats(np.eye(2), 2), "X has 2 of 2 dimensions"),
        (lambda: gaussian_nats(np.ones((2, 2)), 1), "not positive definite"),
        (lambda: gaussian_information(np.arange(9.0), np.arange(9.0)), "a linear function of x"),
        (lambda: gaussian_information(np.eye(4), np.eye(4)), "4 samples of 3 \\+ 3 dimensions"),
        (lambda: gaussian_information(np.array(["a"]), np.ones(1)), "x holds <U1 where numbers are expected"),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(RequestError, match=message):
        call()
