"""Exact information of the tasks, against integration, densities of scipy and the properties of their maps."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, multivariate_t, norm, t

from nmt_ib.info.tasks import TASKS, bimodal, half_cube, spiral, student, swiss_roll, wiggly

# Nats from closed forms, computed elsewhere.
KNOWN = {
    "normal-1x1": 0.413339, "swiss-roll-2x1": 0.413339, "bimodal-1x1": 0.413339,
    "additive-uniform-0.1": 1.709438, "additive-uniform-0.75": 0.333333,
    "student-identity-1x1-1": 0.224171, "student-identity-2x2-1": 0.431946, "student-identity-2x2-2": 0.193147,
    "student-identity-3x3-2": 0.290922, "student-identity-3x3-3": 0.178712,
    "student-identity-5x5-2": 0.448151, "student-identity-5x5-3": 0.298544,
    "dense-2x2": 0.293893, "dense-50x50": 1.624265,
    "two-pairs-25x25": 1.021651, "spiral-cdf-25x25": 1.021651, "asinh-student-identity-5x5-2": 0.448151,
}  # fmt: skip


def test_there_are_forty():
    assert len(TASKS) == 40
    assert sum(task.x_width == task.y_width == 1 for task in TASKS.values()) == 9


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    assert TASKS[name].nats == pytest.approx(KNOWN[name], abs=5e-7)


@pytest.mark.parametrize("name", TASKS)
def test_samples_have_their_shape_and_seed(name):
    task = TASKS[name]
    x, y = task.sample(10, 3)
    assert task.name == name
    assert (x.shape, y.shape) == ((10, task.x_width), (10, task.y_width))
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    np.testing.assert_array_equal(task.sample(10, 3)[0], x)
    assert not np.array_equal(task.sample(10, 4)[0], x)


def test_integration_over_student_densities():
    # The plane folded into a square by x = u / (1 - u^2).
    u = np.linspace(-1, 1, 1001)[1:-1]
    x, y = np.meshgrid(u / (1 - u**2), u / (1 - u**2))
    stretch = (1 + u**2) / (1 - u**2) ** 2
    joint = multivariate_t([0, 0], np.eye(2), 3).pdf(np.stack([x, y], -1))
    shared = joint * np.log(joint / (t(3).pdf(x) * t(3).pdf(y)))
    nats = (shared * stretch * stretch[:, None]).sum() * (u[1] - u[0]) ** 2
    assert nats == pytest.approx(student(1, 3).nats, abs=1e-3)


@pytest.mark.parametrize("noise", [0.1, 0.75])
def test_integration_over_uniform_noise(noise):
    y = np.linspace(-noise, 1 + noise, 200_001)
    density = (np.minimum(1, y + noise) - np.maximum(0, y - noise)) / (2 * noise)
    entropy = -np.trapezoid(density * np.log(np.where(density > 0, density, 1)), y)
    assert entropy - math.log(2 * noise) == pytest.approx(TASKS[f"additive-uniform-{noise}"].nats, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in KNOWN if name.startswith("student")])
def test_samples_of_student_have_the_information(name):
    task, freedom = TASKS[name], int(name[-1])
    x, y = task.sample(20_000, 0)
    width = task.x_width

    def log_density(values):
        return multivariate_t(np.zeros(values.shape[1]), np.eye(values.shape[1]), freedom).logpdf(values)

    ratio = log_density(np.concatenate([x, y], 1)) - log_density(x) - log_density(y)
    assert abs(ratio.mean() - task.nats) < 4 * ratio.std() / math.sqrt(len(ratio))
    assert width == int(name.split("-")[2][0])


@pytest.mark.parametrize("name", ["normal-1x1", "dense-2x2", "dense-5x5", "dense-25x25", "two-pairs-3x3"])
def test_samples_of_normals_have_the_information(name):
    task = TASKS[name]
    x, y = task.sample(20_000, 0)
    both = np.concatenate([x, y], 1)
    covariance = np.round(np.cov(both.T), 1) if name != "normal-1x1" else np.array([[1, 0.75], [0.75, 1]])

    def log_density(columns):
        return multivariate_normal(np.zeros(len(columns)), covariance[np.ix_(columns, columns)]).logpdf(
            both[:, columns]
        )

    places = np.arange(both.shape[1])
    ratio = log_density(places) - log_density(places[: task.x_width]) - log_density(places[task.x_width :])
    assert abs(ratio.mean() - task.nats) < 4 * ratio.std() / math.sqrt(len(ratio))


def test_maps_are_invertible():
    x = np.linspace(-4, 4, 1001)[:, None]
    for increasing in (half_cube, wiggly, bimodal):
        assert (np.diff(increasing(x)[:, 0]) > 0).all()
    np.testing.assert_allclose(half_cube(x), np.sign(x) * np.abs(x) ** 1.5)
    points = np.random.default_rng(0).standard_normal((50, 4))
    turned = spiral(points)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(points, axis=1))
    angle = -np.square(turned).sum(1) / 9
    back = turned[:, 0] * np.cos(angle) - turned[:, 1] * np.sin(angle)
    np.testing.assert_allclose(back, points[:, 0], atol=1e-12)
    np.testing.assert_array_equal(turned[:, 2:], points[:, 2:])
    share = np.linspace(0, 1, 11)[:, None]
    radius = np.linalg.norm(swiss_roll(share), axis=1)
    np.testing.assert_allclose((radius * 21 / (1.5 * math.pi) - 1) / 2, share[:, 0], atol=1e-12)


def test_bimodal_numbers_are_those_of_the_mixture():
    x = np.linspace(-3, 3, 13)[:, None]
    made = bimodal(x)
    np.testing.assert_allclose((norm.cdf(made, -1, 0.3) + norm.cdf(made, 1, 0.3)) / 2, norm.cdf(x), atol=1e-9)
