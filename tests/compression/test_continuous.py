"""Gaussian tags: what they cost against samples, and priors that are learned or not."""

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence
from torch.nn.functional import softplus
from torch.testing import assert_close

from nmt_ib.compression.continuous import MIN_DEVIATION, UNIT, GaussianTags
from tests.tiny_treebank import tiny_corpus

WIDTH, TYPES, DIM = 6, 4, 3


@pytest.fixture
def batch(tmp_path):
    corpus = tiny_corpus(tmp_path, width=WIDTH, types=TYPES)
    return corpus.batch([0, 3, 4])


def made(**settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tags = GaussianTags(WIDTH, DIM, types=TYPES, **settings).double()
        for weight in tags.parameters():
            if weight.requires_grad:
                torch.nn.init.normal_(weight, std=0.5)
    return tags.requires_grad_(False)


def gaussian(network, vectors):
    """The distribution that a network's output means, by its definition."""
    mean, free = network(vectors, None).chunk(2, dim=1)
    return Independent(Normal(mean, softplus(free + UNIT) + MIN_DEVIATION), 1)


def prior(tags):
    return Independent(Normal(tags.prior_mean, softplus(tags.prior_free) + MIN_DEVIATION), 1)


def test_rates_are_the_means_of_log_ratios_of_samples(batch):
    tags = made()
    found = tags(batch.vectors[:, 0], batch, 100_000, torch.Generator().manual_seed(0))
    told = gaussian(tags.token_encoder, batch.vectors[:, 0])
    known = gaussian(tags.type_encoder, batch.types)
    for other, nats in ((prior(tags), found.rate_nats), (known, found.context_nats)):
        ratio = told.log_prob(found.values) - other.log_prob(found.values)
        error = ratio.std(0) / len(ratio) ** 0.5
        assert ((ratio.mean(0) - nats).abs() < 4.5 * error).all()


def test_rates_are_torch_s_divergences(batch):
    tags = made()
    found = tags(batch.vectors[:, 0], batch, 1, None)
    told = gaussian(tags.token_encoder, batch.vectors[:, 0])
    assert_close(found.values[0], told.mean)
    assert_close(found.rate_nats, kl_divergence(told, prior(tags).expand(told.batch_shape)))
    assert_close(found.context_nats, kl_divergence(told, gaussian(tags.type_encoder, batch.types)))


def test_what_a_tag_tells_beyond_a_type_that_tells_nothing_is_its_rate(batch):
    tags = made(standard_prior=True)
    for weight in tags.type_encoder.parameters():
        weight.zero_()
    found = tags(batch.vectors[:, 0], batch, 1, None)
    assert_close(found.context_nats, found.rate_nats)
    assert (found.rate_nats > 0).all()


def test_a_network_that_says_nothing_costs_nothing(batch):
    tags = made(standard_prior=True)
    for weight in tags.token_encoder.parameters():
        weight.zero_()
    rates = tags(batch.vectors[:, 0], batch, 1, None).rate_nats
    assert_close(rates, torch.zeros_like(rates))


def test_a_standard_prior_is_standard_and_stays_so(batch):
    tags = GaussianTags(WIDTH, DIM, standard_prior=True).double()
    optimizer = torch.optim.AdamW(tags.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        tags(batch.vectors[:, 0], batch, 1, None).rate_nats.mean().backward()
        optimizer.step()
    told = gaussian(tags.token_encoder, batch.vectors[:, 0])
    standard = Independent(Normal(torch.zeros_like(told.mean), 1 + MIN_DEVIATION), 1)
    assert_close(tags(batch.vectors[:, 0], batch, 1, None).rate_nats, kl_divergence(told, standard))


def test_a_learned_prior_moves_to_the_tags(batch):
    """The best prior of one dimension is the mean and mean square of what it prices."""
    tags = made()
    tags.prior_mean.requires_grad_(True)
    tags.prior_free.requires_grad_(True)
    optimizer = torch.optim.LBFGS([tags.prior_mean, tags.prior_free], max_iter=200, line_search_fn="strong_wolfe")

    def cost():
        optimizer.zero_grad()
        mean = tags(batch.vectors[:, 0], batch, 1, None).rate_nats.mean()
        mean.backward()
        return mean

    optimizer.step(cost)
    told = gaussian(tags.token_encoder, batch.vectors[:, 0])
    spread = told.variance.mean(0) + told.mean.var(0, correction=0)
    assert_close(tags.prior_mean.detach(), told.mean.mean(0), atol=1e-4, rtol=1e-3)
    assert_close(prior(tags).variance.detach(), spread, atol=1e-4, rtol=1e-3)


def test_without_types_nothing_is_known_of_them(batch):
    tags = GaussianTags(WIDTH, DIM).double()
    assert not tags(batch.vectors[:, 0], batch, 1, None).context_nats.any()
