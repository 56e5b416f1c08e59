"""Critics score all pairs as they score each pair."""

import pytest
import torch

from nmt_ib.info.critics import CRITICS


@pytest.mark.parametrize("name", CRITICS)
def test_scores_of_all_pairs_are_those_of_each_pair(name):
    x, y = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    critic = CRITICS[name](3, 3, 8, torch.Generator().manual_seed(1))
    one_by_one = torch.stack([critic(x[[i]], y[[j]])[0, 0] for i in range(5) for j in range(5)])
    torch.testing.assert_close(critic(x, y).flatten(), one_by_one)


def test_the_concatenated_critic_reads_both_side_by_side():
    x, y = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    critic = CRITICS["concatenated"](3, 3, 8, torch.Generator().manual_seed(1))
    score = critic.others(critic.first(torch.cat([x[1], y[2]])))[0]
    torch.testing.assert_close(critic(x, y)[1, 2], score)


@pytest.mark.parametrize("name", CRITICS)
def test_initial_weights_depend_on_the_generator_only(name):
    state = torch.random.get_rng_state()
    first, second = (CRITICS[name](3, 2, 8, torch.Generator().manual_seed(1)).state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert torch.equal(torch.random.get_rng_state(), state)
