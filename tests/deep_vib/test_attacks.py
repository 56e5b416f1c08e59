"""Attacks: how far they go, and that they go log_odds_gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_ib.deep_vib.attacks import fgsm, l2_pgd, log_odds_gradient
from nmt_ib.deep_vib.network import log_mean_probability

EPSILONS = (0.0, 0.1, 0.3)


def problem(seed, scale=1.0):
    """A linear classifier, whose gradient is known, on images of which some pixels lie on the border."""
    generator = torch.Generator().manual_seed(seed)
    weights = scale * torch.randn(6, 3, generator=generator, dtype=torch.float64)
    pixels = torch.rand(5, 6, generator=generator, dtype=torch.float64)
    pixels[0, :3], pixels[1, 3:] = 0.0, 1.0
    labels = torch.randint(3, (5,), generator=generator)
    return lambda x: (x @ weights).log_softmax(-1), weights, pixels, labels


def loss(answer, pixels, labels):
    return -answer(pixels).gather(-1, labels.unsqueeze(-1)).squeeze(-1)


def test_uphill_is_the_gradient_of_the_cross_entropy_over_what_is_not_right():
    answer, weights, pixels, labels = problem(0)
    surplus = answer(pixels).exp() - torch.nn.functional.one_hot(labels, 3)
    wrong = 1 - answer(pixels).exp().gather(-1, labels.unsqueeze(-1))
    torch.testing.assert_close(log_odds_gradient(answer, pixels, labels), surplus @ weights.T / wrong)


@pytest.mark.parametrize("samples", [1, 12])
def test_uphill_is_right_where_the_answer_is_sure(samples):
    """In float32, at odds of e^60, as in float64."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(samples, 6, 3, generator=generator, dtype=torch.float64)
    weights[..., 0] += 20.0
    pixels = torch.rand(4, 6, generator=generator, dtype=torch.float64).clamp(0.4, 0.6)
    labels = torch.zeros(4, dtype=torch.long)

    def gradient(dtype):
        return log_odds_gradient(
            lambda x: log_mean_probability((x @ weights.to(dtype)).log_softmax(-1)), pixels.to(dtype), labels
        ).double()

    float32 = (pixels.float() @ weights.float()).log_softmax(-1)
    assert (log_mean_probability(float32).exp()[:, 0] == 1).all()
    torch.testing.assert_close(gradient(torch.float32), gradient(torch.float64), rtol=1e-4, atol=1e-4)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_fgsm_moves_each_pixel_by_epsilon_or_to_the_border(seed):
    answer, _, pixels, labels = problem(seed)
    for epsilon, changed in zip(EPSILONS, fgsm(answer, pixels, labels, EPSILONS), strict=True):
        moved = (changed - pixels).abs()
        clipped = (changed == 0) | (changed == 1)
        torch.testing.assert_close(moved[~clipped], torch.full_like(moved[~clipped], epsilon))
        assert (moved[clipped] <= epsilon + 1e-12).all()
        assert ((changed >= 0) & (changed <= 1)).all()


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_fgsm_raises_the_loss_more_the_farther_it_goes(seed):
    answer, _, pixels, labels = problem(seed)
    losses = torch.stack([loss(answer, changed, labels) for changed in fgsm(answer, pixels, labels, EPSILONS)])
    assert (
        losses.diff(dim=0) >= 0
    ).all()  # the loss of a linear classifier is convex: log_odds_gradient is log_odds_gradient all the way
    torch.testing.assert_close(losses[0], loss(answer, pixels, labels))


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 2.0]))
@settings(max_examples=30, deadline=None)
def test_pgd_stays_in_the_ball_and_raises_the_loss(seed, radius):
    answer, _, pixels, labels = problem(seed)
    changed = l2_pgd(answer, pixels, labels, radius)
    assert ((changed - pixels).norm(dim=-1) <= radius + 1e-9).all()
    assert ((changed >= 0) & (changed <= 1)).all()
    assert (loss(answer, changed, labels) >= loss(answer, pixels, labels) - 1e-9).all()


def test_pgd_finds_the_farthest_point_of_two_classes():
    weights = torch.tensor([[1.0, -1.0], [2.0, 0.0], [0.0, 0.5]], dtype=torch.float64)
    pixels = torch.full((1, 3), 0.5, dtype=torch.float64)
    changed = l2_pgd(lambda x: (x @ weights).log_softmax(-1), pixels, torch.tensor([0]), 0.3)
    direction = weights[:, 1] - weights[:, 0]
    torch.testing.assert_close(changed, pixels + 0.3 * direction / direction.norm())


@pytest.mark.parametrize("attack", [lambda *a: fgsm(*a, (0.5,))[0], lambda *a: l2_pgd(*a, 0.5)], ids=["fgsm", "pgd"])
def test_without_a_gradient_nothing_moves(attack):
    _, _, pixels, labels = problem(0)
    assert torch.equal(attack(lambda x: (0 * x[:, :3]).log_softmax(-1), pixels, labels), pixels)
