"""Closed forms against torch's own divergences, sums over all classes and samples."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, Independent, Normal, kl_divergence
from torch.testing import assert_close

from nmt_ib.info.divergences import categorical_kl, gaussian_kl

NUMBERS = st.floats(-5, 5)
DEVIATIONS = st.floats(0.01, 10)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def diagonal(mean, std):
    return Independent(Normal(mean, std), 1)


def test_gaussians_equal_torch_s_whatever_the_batch():
    for shape in ((3,), (4, 3), (2, 4, 3)):
        mean, std = drawn(*shape), drawn(*shape, seed=1).exp()
        for prior in (shape, (3,)):
            other_mean, other_std = drawn(*prior, seed=2), drawn(*prior, seed=3).exp()
            found = gaussian_kl(mean, std, other_mean, other_std)
            assert_close(found, kl_divergence(diagonal(mean, std), diagonal(other_mean, other_std)).expand(shape[:-1]))


def test_gaussians_by_samples():
    mean, std, other = drawn(3), drawn(3, seed=1).exp(), (drawn(3, seed=2), drawn(3, seed=3).exp())
    tags = mean + std * drawn(100_000, 3, seed=4)
    ratio = diagonal(mean, std).log_prob(tags) - diagonal(*other).log_prob(tags)
    error = ratio.std() / len(tags) ** 0.5
    assert abs(ratio.mean() - gaussian_kl(mean, std, *other)) < 4 * error


@given(st.lists(st.tuples(NUMBERS, DEVIATIONS, NUMBERS, DEVIATIONS), min_size=1, max_size=5))
def test_gaussians_never_agree_more_than_fully(rows):
    mean, std, other_mean, other_std = torch.tensor(rows, dtype=torch.float64).T
    assert gaussian_kl(mean, std, other_mean, other_std) >= -1e-12  # rounding
    assert abs(gaussian_kl(mean, std, mean, std)) < 1e-12


def test_classes_equal_torch_s_and_a_sum():
    log_p, log_r = drawn(2, 4, 5).log_softmax(-1), drawn(5, seed=1).log_softmax(-1)
    found = categorical_kl(log_p, log_r)
    assert_close(found, kl_divergence(Categorical(logits=log_p), Categorical(logits=log_r.expand(2, 4, 5))))
    for one, p in zip(found.flatten(), log_p.exp().flatten(0, 1), strict=True):
        total = sum(float(p[k]) * (np.log(float(p[k])) - float(log_r[k])) for k in range(5))
        assert_close(float(one), total)


def test_a_class_of_probability_0_adds_nothing():
    certain = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64).log()
    log_r = drawn(3).log_softmax(-1)
    assert_close(categorical_kl(certain, log_r), -log_r[1])
    assert categorical_kl(certain, certain) == 0  # the prior rules the same classes out


@given(st.data(), st.integers(2, 5))
@settings(max_examples=50)
def test_classes_never_agree_more_than_fully(data, classes):
    logits = st.lists(st.floats(-30, 30), min_size=classes, max_size=classes)
    log_p, log_r = (torch.tensor(data.draw(logits), dtype=torch.float64).log_softmax(-1) for _ in range(2))
    assert categorical_kl(log_p, log_r) >= -1e-12
    assert categorical_kl(log_p, log_p) == 0
