"""Gaussian tags: rates against samples, and learned and standard priors."""

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence
from torch.nn.functional import softplus
from torch.testing import assert_close

from nmt_ib.compression.continuous import MIN_STD, SOFTPLUS_ONE, GaussianTags
from tests.tiny_treebank import tiny_corpus

WIDTH, TYPES, DIM = 6, 4, 3


@pytest.fixture
def batch(tmp_path):
    corpus = tiny_corpus(tmp_path, width=WIDTH, types=TYPES)
    return corpus.batch([0, 3, 4])


def made(**settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tags = GaussianTags(WIDTH, DIM, type_width=TYPES, **settings).double()
        for weight in tags.parameters():
            if weight.requires_grad:
                torch.nn.init.normal_(weight, std=0.5)
    return tags.requires_grad_(False)


def gaussian(network, vectors):
    """The distribution that a network's output means, by its definition."""
    mean, free = network(vectors, None).chunk(2, dim=1)
    return Independent(Normal(mean, softplus(free + SOFTPLUS_ONE) + MIN_STD), 1)


def prior(tags):
    return Independent(Normal(tags.prior_mean, softplus(tags.prior_raw_std) + MIN_STD), 1)


def test_rates_are_the_means_of_log_ratios_of_samples(batch):
    tags = made()
    found = tags(batch.vectors[:, 0], batch, 100_000, torch.Generator().manual_seed(0))
    encoded = gaussian(tags.token_encoder, batch.vectors[:, 0])
    known = gaussian(tags.type_encoder, batch.types)
    for other, nats in ((prior(tags), found.rate_nats), (known, found.context_nats)):
        ratio = encoded.log_prob(found.values) - other.log_prob(found.values)
        error = ratio.std(0) / len(ratio) ** 0.5
        assert ((ratio.mean(0) - nats).abs() < 4.5 * error).all()


def test_rates_are_torch_s_divergences(batch):
    tags = made()
    found = tags(batch.vectors[:, 0], batch, 1, None)
    encoded = gaussian(tags.token_encoder, batch.vectors[:, 0])
    assert_close(found.values[0], encoded.mean)
    assert_close(found.rate_nats, kl_divergence(encoded, prior(tags).expand(encoded.batch_shape)))
    assert_close(found.context_nats, kl_divergence(encoded, gaussian(tags.type_encoder, batch.types)))


def test_the_context_rate_is_the_rate_where_types_are_uninformative(batch):
    tags = made(standard_prior=True)
    for weight in tags.type_encoder.parameters():
        weight.zero_()
    found = tags(batch.vectors[:, 0], batch, 1, None)
    assert_close(found.context_nats, found.rate_nats)
    assert (found.rate_nats > 0).all()


def test_an_encoder_with_output_0_has_rate_0(batch):
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
    encoded = gaussian(tags.token_encoder, batch.vectors[:, 0])
    standard = Independent(Normal(torch.zeros_like(encoded.mean), 1 + MIN_STD), 1)
    assert_close(tags(batch.vectors[:, 0], batch, 1, None).rate_nats, kl_divergence(encoded, standard))


def test_a_learned_prior_moves_to_the_tags(batch):
    """The best prior of a dimension has the mean and variance of the mixture of the tags."""
    tags = made()
    tags.prior_mean.requires_grad_(True)
    tags.prior_raw_std.requires_grad_(True)
    optimizer = torch.optim.LBFGS([tags.prior_mean, tags.prior_raw_std], max_iter=200, line_search_fn="strong_wolfe")

    def cost():
        optimizer.zero_grad()
        mean = tags(batch.vectors[:, 0], batch, 1, None).rate_nats.mean()
        mean.backward()
        return mean

    optimizer.step(cost)
    encoded = gaussian(tags.token_encoder, batch.vectors[:, 0])
    spread = encoded.variance.mean(0) + encoded.mean.var(0, correction=0)
    assert_close(tags.prior_mean.detach(), encoded.mean.mean(0), atol=1e-4, rtol=1e-3)
    assert_close(prior(tags).variance.detach(), spread, atol=1e-4, rtol=1e-3)


def test_without_types_nothing_is_known_of_them(batch):
    tags = GaussianTags(WIDTH, DIM).double()
    assert not tags(batch.vectors[:, 0], batch, 1, None).context_nats.any()
