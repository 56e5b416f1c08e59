"""Targets behind gates: open, closed, and the noise in front of them."""

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.gated_scoring import GatedScorer, check_layer, check_normalization
from nmt_ib.attribution.scoring import target_scorer
from nmt_ib.attribution.statistics_measurement import measure_statistics
from nmt_ib.errors import RequestError
from tests.attribution.examples import example_inputs


@pytest.fixture(params=["ssru", "bert-classifier"])
def example(request, tiny_model, tiny_encoder):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, request.param)
    translations = None if request.param.endswith("classifier") else targets
    return model, sources, targets, measure_statistics(model, sources, translations)


def generators(count):
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


@torch.no_grad()
def test_wide_open_gates_change_nothing(example):
    model, sources, targets, statistics = example
    scorer = target_scorer(model, sources, targets)
    gated = GatedScorer.create(scorer, 1, statistics)
    alphas = [channel.open_gates(False) + 40 for channel in gated.channels]
    noise = gated.noise(generators(len(sources)), 2)
    expected = -scorer.logprobs(*scorer.inputs()).sum(1)
    assert_close(gated.target_nats(alphas, noise), expected)
    assert_close(gated.ungated_nats(), expected)


@torch.no_grad()
def test_closed_gates_hide_the_words(example):
    model, sources, targets, statistics = example
    gated = GatedScorer.create(target_scorer(model, sources, targets), 0, statistics)
    alphas = [torch.full_like(channel.open_gates(False), -40) for channel in gated.channels]
    noise = gated.noise(generators(len(sources)), 2)
    found = gated.target_nats(alphas, noise)
    channel = gated.channels[0]
    channel.states[channel.gate_index >= 0] += 7.0
    assert_close(gated.target_nats(alphas, noise), found)
    assert_close(gated.information_nats(alphas), torch.zeros(len(sources)).double(), rtol=0, atol=1e-9)


@torch.no_grad()
def test_with_a_gated_prefix_only_the_last_token_is_scored(tiny_model, tiny_encoder):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, "ssru")
    scorer = target_scorer(model, sources, targets)
    gated = GatedScorer.create(scorer, 0, measure_statistics(model, sources, targets), prefix=True)
    logprobs = scorer.logprobs(*scorer.inputs())
    last = [len(target) - 1 for target in targets]
    assert_close(gated.ungated_nats(), -logprobs[range(len(targets)), last])
    assert (gated.channels[1].gate_index[:, 0] == -1).all()  # the start piece is never gated
    assert gated.channels[1].gate_index[0, 1 : len(targets[0])].tolist() == list(range(1, len(targets[0])))


def test_noise_is_antithetic_and_does_not_depend_on_the_batch(example):
    model, sources, targets, statistics = example
    gated = GatedScorer.create(target_scorer(model, sources, targets), 0, statistics)
    noise = gated.noise(generators(len(sources)), 4)[0]
    assert_close(noise[:, :2], -noise[:, 2:])
    assert not noise[(gated.channels[0].gate_index < 0)[:, None].expand(-1, 4, -1)].any()
    alone = GatedScorer.create(target_scorer(model, sources[:1], targets[:1]), 0, statistics)
    assert_close(alone.noise(generators(1), 4)[0][0], noise[0, :, : len(sources[0])])


def test_elements(example):
    model, sources, targets, statistics = example
    gated = GatedScorer.create(target_scorer(model, sources, targets), 0, statistics)
    width = gated.channels[0].states.shape[2]
    pieces = [sum(word >= 0 for word in source.word_index) for source in sources]
    assert gated.elements("word").tolist() == [width] * len(sources)
    assert gated.elements("mean").tolist() == [width * count for count in pieces]


def test_wrong_requests(example):
    with pytest.raises(RequestError, match="unknown normalization 'sum'; known: word, mean"):
        check_normalization("sum")
    with pytest.raises(RequestError, match=r"layers 0 \(embeddings\) to 3, not -1"):
        check_layer(example[0], -1)
