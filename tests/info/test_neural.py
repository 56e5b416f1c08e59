"""Neural bounds where the information is known; tolerances are four standard errors plus what a critic may miss."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.info.critics import CRITICS
from nmt_ib.info.neural import CriticTraining, neural_information
from nmt_ib.info.tasks import TASKS as information_tasks

SHORT = CriticTraining(steps=600, look=50)
MISSED = 0.06  # of the truth, in nats and once more as a share


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


def strangers(generator, pairs=8_000):
    return generator.standard_normal((pairs, 2)), generator.standard_normal((pairs, 2))


TASKS = {
    "normal": (normal, 0.413339),  # -ln(1 - .75^2) / 2
    "two pairs": (two_pairs, 1.021651),  # -ln(1 - .8^2)
    "uniform": (uniform, 1 / 3),  # 1 / (4 eps), eps = .75
    "strangers": (strangers, 0.0),
}


@pytest.mark.parametrize("bound", ["dv", "nwj", "infonce", "smile"])
@pytest.mark.parametrize("task", ["normal", "strangers"])
def test_every_bound_knows_the_easy_answers(bound, task):
    sample, truth = TASKS[task]
    found = neural_information(*sample(np.random.default_rng(0)), bound, SHORT)
    assert abs(found.nats - truth) < 4 * found.error + MISSED * truth + 0.01


def test_info_nce_knows_two_pairs():
    sample, truth = TASKS["two pairs"]
    found = neural_information(*sample(np.random.default_rng(0)), training=SHORT)
    assert abs(found.nats - truth) < 4 * found.error + MISSED * truth


def test_edges_cost_a_smooth_critic_a_third_but_it_stays_a_bound():
    # Outside the strip of the noise the log-ratio is minus infinity; .23 of .33 nats after 600 steps.
    sample, truth = TASKS["uniform"]
    found = neural_information(*sample(np.random.default_rng(0)), training=SHORT)
    assert truth * 2 / 3 - 4 * found.error < found.nats < truth + 4 * found.error


def test_a_concatenated_critic_knows_it_too():
    small = replace(SHORT, critic="concatenated", hidden=32, batch=64, steps=600)
    found = neural_information(*normal(np.random.default_rng(0), 4000), training=small)
    assert abs(found.nats - 0.413339) < 4 * found.error + MISSED * 0.413339


def test_a_critic_of_all_pairs_is_one_of_each_pair():
    x, y = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    for made in CRITICS.values():
        critic = made(3, 3, 8, torch.Generator().manual_seed(1))
        one_by_one = torch.stack([critic(x[[i]], y[[j]])[0, 0] for i in range(5) for j in range(5)])
        torch.testing.assert_close(critic(x, y).flatten(), one_by_one)
    network = CRITICS["concatenated"](3, 3, 8, torch.Generator().manual_seed(1))
    torch.testing.assert_close(network(x, y)[1, 2], network.others(network.first(torch.cat([x[1], y[2]])))[0])


def test_the_seed_decides_and_nothing_else():
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


def test_what_was_learnt_by_heart_does_not_count():
    # 60 training pairs in 50 dimensions can be told apart perfectly; fresh ones cannot.
    generator = np.random.default_rng(0)
    found = neural_information(generator.standard_normal((120, 50)), generator.standard_normal((120, 50)))
    assert found.nats <= 3 * found.error


@pytest.mark.parametrize("bound", ["dv", "nwj", "infonce", "smile"])
def test_few_wide_pairs_are_not_far_below_zero_without_a_word(bound):
    # 100 pairs train: before there were looks at 1, 2, 4, ... steps, InfoNCE came out at -27 nats.
    for seed in range(3):
        found = neural_information(*information_tasks["dense-5x5"].sample(200, seed), bound)
        assert -2 < found.nats < information_tasks["dense-5x5"].nats + 4 * found.error
        assert found.warnings or found.nats >= -found.error


def test_a_critic_that_has_learnt_nothing_gives_zero_and_says_so():
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 120, 50))
    found = neural_information(x, y, training=replace(SHORT, steps=1, learning_rate=1e-9))
    assert (found.nats, found.error, found.settings["stopped_at"]) == (0, 0, 0)
    assert "learnt nothing that holds on fresh pairs" in found.warnings[0]


def test_units_do_not_matter():
    x, y = normal(np.random.default_rng(0), 400)
    quick = replace(SHORT, steps=50)
    assert neural_information(x * 2.0**700, y / 2.0**700, training=quick) == neural_information(x, y, training=quick)


def test_info_nce_names_its_ceiling():
    x = np.random.default_rng(0).standard_normal((3000, 8))
    found = neural_information(x, x, training=replace(SHORT, steps=600))
    assert found.settings["ceiling_nats"] == pytest.approx(math.log(450))  # 900 test pairs in two blocks
    assert found.nats <= found.settings["ceiling_nats"]
    assert "at least" in found.warnings[0]


def test_a_constant_tells_nothing():
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
