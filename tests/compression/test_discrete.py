"""Discrete tags: relaxed samples, annealing, and rates against sums over all tags."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from nmt_ib.compression.discrete import ANNEALING, MAX_TEMPERATURE, MIN_TEMPERATURE, DiscreteTags
from nmt_ib.info.divergences import categorical_kl
from tests.tiny_treebank import tiny_corpus

WIDTH, TYPES, TAGS, DIM = 6, 4, 5, 8


@pytest.fixture
def batch(tmp_path):
    return tiny_corpus(tmp_path, width=WIDTH, types=TYPES).batch([0, 3, 4])


@pytest.fixture
def tags():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = DiscreteTags(WIDTH, TAGS, DIM, type_width=TYPES).double()
        for weight in made.parameters():
            torch.nn.init.normal_(weight)
    return made.requires_grad_(False)


def weights(tags, values):
    """The shares of each tag's vector in a relaxed sample; the vectors are independent, so there is one solution."""
    table = tags.tag_vectors.weight  # [d, K]
    found = values @ torch.linalg.pinv(table).T
    assert_close(found @ table.T, values)
    return found


def sampled(tags, batch, samples, temperature, seed=0):
    tags.temperature = temperature
    return weights(tags, tags(batch.vectors[:, 0], batch, samples, torch.Generator().manual_seed(seed)).values)


def test_a_relaxed_sample_lies_between_the_tags(tags, batch):
    for temperature in (MAX_TEMPERATURE, MIN_TEMPERATURE):
        shares = sampled(tags, batch, 3, temperature)
        assert (shares > -1e-12).all()
        assert_close(shares.sum(-1), torch.ones_like(shares.sum(-1)))
        assert (shares.amax(-1) < 0.999).any()


def test_a_cold_sample_is_nearly_one_tag_drawn_from_its_distribution(tags, batch):
    shares = sampled(tags, batch, 20_000, 1e-4)
    assert (shares.amax(-1) > 0.999).double().mean() > 0.995
    drawn = torch.nn.functional.one_hot(shares.argmax(-1), TAGS).double().mean(0)
    p = tags.token_encoder(batch.vectors[:, 0], None).softmax(-1)
    error = (p * (1 - p) / len(shares)).sqrt()
    assert ((drawn - p).abs() < 4.5 * error + 1e-9).all()
    assert (error > 1e-3).any()


def test_what_is_not_sampled_is_the_likeliest_tag(tags, batch):
    found = tags(batch.vectors[:, 0], batch, 3, None)
    likeliest = tags.token_encoder(batch.vectors[:, 0], None).argmax(-1)
    assert_close(found.values[0], tags.tag_vectors.weight.T[likeliest])
    assert torch.equal(tags.tags(batch.vectors[:, 0]), likeliest)


def test_rates_are_sums_over_the_tags(tags, batch):
    found = tags(batch.vectors[:, 0], batch, 1, None)
    p = tags.token_encoder(batch.vectors[:, 0], None).softmax(-1)
    r, s = tags.prior.softmax(-1), tags.type_encoder(batch.types, None).softmax(-1)
    for word in range(len(p)):
        for other, nats in ((r, found.rate_nats[word]), (s[word], found.context_nats[word])):
            total = sum(float(p[word, k]) * math.log(float(p[word, k]) / float(other[k])) for k in range(TAGS))
            assert float(nats) == pytest.approx(total)


@given(st.data(), st.integers(1, 6), st.integers(2, 5))
def test_the_mean_rate_is_never_below_what_tags_tell(data, words, tags):
    """I(X;T) of a table p(t|x), summed over words and tags, against any prior; equal to it at the marginal."""
    row = st.lists(st.floats(0.01, 1), min_size=tags, max_size=tags)
    table = np.array(data.draw(st.lists(row, min_size=words, max_size=words)))
    table /= table.sum(1, keepdims=True)
    prior = np.array(data.draw(row))
    marginal = table.mean(0)
    information = sum(
        table[x, t] / words * math.log(table[x, t] / marginal[t]) for x in range(words) for t in range(tags)
    )
    log_p = torch.from_numpy(table).log()
    assert categorical_kl(log_p, torch.from_numpy(prior / prior.sum()).log()).mean() >= information - 1e-12
    assert float(categorical_kl(log_p, torch.from_numpy(marginal).log()).mean()) == pytest.approx(information, abs=1e-9)


def test_the_temperature_falls_geometrically_and_then_stays(tags):
    found = []
    for progress in (0.0, ANNEALING / 2, ANNEALING, 1.0):
        tags.anneal_(progress)
        found.append(tags.temperature)
    assert found == pytest.approx(
        [MAX_TEMPERATURE, math.sqrt(MAX_TEMPERATURE * MIN_TEMPERATURE), MIN_TEMPERATURE, MIN_TEMPERATURE]
    )
