"""The task on the sphere: symmetry, power spectrum, balance, and the information of its soft labels."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import sph_harm_y

from nmt_ib.networks.sphere_rule import soft_sphere_rule, sphere_energy, sphere_rule


def corners():
    golden = (1 + 5**0.5) / 2
    face = [(0, a, golden * b) for a in (-1, 1) for b in (-1, 1)]
    return np.array([point[-turn:] + point[:-turn] for turn in range(3) for point in face]) / math.hypot(1, golden)


@pytest.fixture(scope="module")
def spectra():
    """Power spectra of all patterns, from the harmonics themselves."""
    x, y, z = corners().T
    patterns = sphere_rule()[0]
    powers = [
        sum(np.abs(patterns @ sph_harm_y(degree, order, np.arccos(z), np.arctan2(y, x))) ** 2 for order in orders)
        for degree in range(7)
        for orders in [range(-degree, degree + 1)]
    ]
    return np.stack(powers, 1)


def test_points_are_alike_and_spread_out():
    cosines = corners() @ corners().T
    assert sorted(set(cosines[0].round(6))) == pytest.approx([-1, -(5**-0.5), 5**-0.5, 1], abs=1e-6)
    assert all(first == pytest.approx(second) for first, second in pairwise(np.sort(cosines)))


def test_there_are_64_classes_of_patterns_as_in_the_paper(spectra):
    assert len(np.unique(spectra.round(6), axis=0)) == 64


def test_rule_is_a_threshold_on_the_power_spectrum(spectra):
    degree = np.arange(7)
    energy = spectra @ np.exp(-0.1 * degree * (degree + 1))
    answers = sphere_rule()[1]
    assert energy[answers].min() > energy[~answers].max() + 1e-6


def test_turning_the_sphere_changes_no_answer():
    points, (patterns, answers) = corners(), sphere_rule()
    turn = np.roll(np.eye(3), 1, axis=0)  # about a diagonal: an icosahedron comes to lie on itself
    place = (points @ turn.T @ points.T).argmax(1)
    numbers = (patterns[:, place] @ 2 ** np.arange(12)).astype(int)
    assert sorted(place) == list(range(12))
    assert (answers[numbers] == answers).all()


@pytest.mark.parametrize("bits", [0.99, 0.5])
def test_soft_rule_is_a_sigmoid_of_the_energy_that_tells_as_much_as_asked(bits):
    p = soft_sphere_rule(bits)
    _, energy, threshold = sphere_energy()
    assert p.sum(1) == pytest.approx(1)
    near = np.abs(energy - threshold) < 0.1
    steepness = np.log(p[near, 1] / p[near, 0]) / (energy[near] - threshold)
    assert steepness == pytest.approx(np.full(near.sum(), steepness[0]))
    assert ((p[:, 1] > 0.5) == sphere_rule()[1]).all()
    yes = p[:, 1].mean()
    known = [-sum(q * math.log2(q) for q in row if q > 0) for row in [(yes, 1 - yes), *p]]
    assert known[0] - sum(known[1:]) / 4096 == pytest.approx(bits)
