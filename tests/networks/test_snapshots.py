"""A snapshot measures networks without changing their training."""

from dataclasses import replace

import torch

from tests.tiny_networks import SMALL, few_patterns, snapshot_of

NOISY = replace(SMALL.training, noise=0.1)


def test_noise_depends_on_seed_epoch_and_purpose_only():
    pair, alone = (snapshot_of(NOISY, few_patterns(seeds), seeds=seeds) for seeds in ((0, 1), (1,)))
    for together, one in zip(pair.noise(7, "states"), alone.noise(7, "states"), strict=True):
        assert torch.equal(together[1:], one)
    for other in (alone.noise(7, "passes"), replace(alone, epoch=1).noise(7, "states")):
        assert not torch.equal(other[0], alone.noise(7, "states")[0])


def test_measuring_leaves_the_generators_of_the_training_alone():
    snapshot = snapshot_of(NOISY, few_patterns([0]))
    before = snapshot.networks.generators[0].get_state()
    clean, noisy = snapshot.layers
    assert torch.equal(snapshot.networks.generators[0].get_state(), before)
    assert not torch.equal(clean[0], noisy[0])
    assert torch.equal(clean[-1], noisy[-1])


def test_without_noise_states_are_those_of_a_forward_pass():
    snapshot = snapshot_of(SMALL.training, few_patterns([0]))
    assert snapshot.noise(7, "states") is None
    assert torch.equal(snapshot.layers[1][0], snapshot.networks.forward(snapshot.task.inputs)[1][0])
