"""Neural bounds against known information; tolerances are four standard errors plus a bias of the critic."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.info.neural import CriticTraining, neural_information
from nmt_ib.info.tasks import TASKS as information_tasks

SHORT = CriticTraining(steps=600, validation_interval=50)
MAX_BIAS = 0.06  # share of the true value


def normal(generator, pairs=8_000):
    x = generator.standard_normal((pairs, 1))
    return x, 0.75 * x + math.sqrt(1 - 0.75**2) * generator.standard_normal((pairs, 1))


def two_pairs(generator, pairs=8_000):
    x, y = generator.standard_normal((2, pairs, 3))
    y[:, :2] = 0.8 * x[:, :2] + 0.6 * y[:, :2]
    return x, y


def uniform(generator, pairs=8_000):
    x = generator.random((pairs, 1))
    return x, x + generator.uniform(-0.75, 0.75, (pairs, 1))


def independent(generator, pairs=8_000):
    return generator.standard_normal((pairs, 2)), generator.standard_normal((pairs, 2))


TASKS = {
    "normal": (normal, 0.413339),  # -ln(1 - .75^2) / 2
    "two pairs": (two_pairs, 1.021651),  # -ln(1 - .8^2)
    "uniform": (uniform, 1 / 3),  # 1 / (4 eps), eps = .75
    "independent": (independent, 0.0),
}


@pytest.mark.parametrize("bound", ["dv", "nwj", "infonce", "smile"])
@pytest.mark.parametrize("task", ["normal", "independent"])
def test_every_bound_is_accurate_on_easy_tasks(bound, task):
    sample, truth = TASKS[task]
    found = neural_information(*sample(np.random.default_rng(0)), bound, SHORT)
    assert abs(found.nats - truth) < 4 * found.error + MAX_BIAS * truth + 0.01


def test_info_nce_is_accurate_on_two_pairs():
    sample, truth = TASKS["two pairs"]
    found = neural_information(*sample(np.random.default_rng(0)), training=SHORT)
    assert abs(found.nats - truth) < 4 * found.error + MAX_BIAS * truth


def test_a_discontinuous_density_costs_a_smooth_critic_a_third_but_it_stays_a_bound():
    # Outside the strip of the noise the log-ratio is minus infinity; .23 of .33 nats after 600 steps.
    sample, truth = TASKS["uniform"]
    found = neural_information(*sample(np.random.default_rng(0)), training=SHORT)
    assert truth * 2 / 3 - 4 * found.error < found.nats < truth + 4 * found.error


def test_a_concatenated_critic_is_accurate_too():
    small = replace(SHORT, critic="concatenated", hidden=32, batch_size=64, steps=600)
    found = neural_information(*normal(np.random.default_rng(0), 4000), training=small)
    assert abs(found.nats - 0.413339) < 4 * found.error + MAX_BIAS * 0.413339


def test_results_depend_on_the_seed_only():
    x, y = normal(np.random.default_rng(0), 1000)
    quick = replace(SHORT, steps=100)
    state = torch.random.get_rng_state()
    first = neural_information(x, y, training=quick)
    torch.randn(3)
    assert neural_information(torch.as_tensor(x), torch.as_tensor(y), training=quick) == first
    assert neural_information(x, y, training=replace(quick, seed=1)).nats != first.nats
    torch.random.set_rng_state(state)
    neural_information(x, y, training=quick)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_overfitting_does_not_raise_the_estimate():
    # 60 training pairs in 50 dimensions can be separated perfectly; new ones cannot.
    generator = np.random.default_rng(0)
    found = neural_information(generator.standard_normal((120, 50)), generator.standard_normal((120, 50)))
    assert found.nats <= 3 * found.error


@pytest.mark.parametrize("bound", ["dv", "nwj", "infonce", "smile"])
def test_few_pairs_of_high_dimension_are_not_far_below_zero_without_a_warning(bound):
    # 100 training pairs: without validations at steps 1, 2, 4, ... InfoNCE was -27 nats.
    for seed in range(3):
        found = neural_information(*information_tasks["dense-5x5"].sample(200, seed), bound)
        assert -2 < found.nats < information_tasks["dense-5x5"].nats + 4 * found.error
        assert found.warnings or found.nats >= -found.error


def test_a_critic_that_does_not_generalise_gives_zero_and_a_warning():
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 120, 50))
    found = neural_information(x, y, training=replace(SHORT, steps=1, learning_rate=1e-9))
    assert (found.nats, found.error, found.settings["stopped_at"]) == (0, 0, 0)
    assert "does not generalise to new pairs" in found.warnings[0]


def test_units_do_not_matter():
    x, y = normal(np.random.default_rng(0), 400)
    quick = replace(SHORT, steps=50)
    assert neural_information(x * 2.0**700, y / 2.0**700, training=quick) == neural_information(x, y, training=quick)


def test_info_nce_reports_its_ceiling():
    x = np.random.default_rng(0).standard_normal((3000, 8))
    found = neural_information(x, x, training=replace(SHORT, steps=600))
    assert found.settings["ceiling_nats"] == pytest.approx(math.log(450))  # 900 test pairs in two blocks
    assert found.nats <= found.settings["ceiling_nats"]
    assert "close to its ceiling" in found.warnings[0]


def test_a_constant_has_no_information():
    y = np.random.default_rng(0).standard_normal((500, 1))
    found = neural_information(np.ones((500, 2)), y, training=replace(SHORT, steps=100))
    assert found.nats == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "keywords", "message"),
    [
        (np.zeros((99, 1)), np.zeros((99, 1)), {}, "99 rows: a critic needs at least 100"),
        (np.zeros((200, 1)), np.zeros((100, 1)), {}, "200 rows and y 100"),
        (np.full((200, 1), np.nan), np.zeros((200, 1)), {}, "not finite"),
        (np.zeros((200, 1)), np.zeros((200, 1)), {"bound": "mine"}, "unknown bound 'mine'; known: dv, nwj"),
        (np.zeros((200, 1)), np.zeros((200, 1)), {"training": CriticTraining(critic="deep")}, "unknown critic"),
    ],
)
def test_says_what_is_wrong(x, y, keywords, message):
    with pytest.raises(RequestError, match=message):
        neural_information(x, y, **keywords)
