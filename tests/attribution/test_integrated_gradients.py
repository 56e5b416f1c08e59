"""Integrated gradients: complete, in closed form where the path is known, and equal to a slow integral."""

import math

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.integrated_gradients import IntegratedGradients
from nmt_ib.attribution.scoring import target_scorer
from nmt_ib.errors import RequestError
from tests.attribution.examples import example_inputs, figures

SMOOTH = ("marian", "bart", "bert-classifier", "electra-classifier", "deberta-v2-classifier")


@pytest.fixture(params=SMOOTH)
def inputs(request, tiny_model, tiny_encoder):
    return example_inputs(tiny_model, tiny_encoder, request.param)


@torch.no_grad()
def gain(model, source, target):
    """Bits that each answer gains from unknown pieces to the sentence."""
    scorer = target_scorer(model, [source], [target])
    inside = scorer.batch.word_index >= 0
    before = scorer.logprobs(*scorer.inputs(inside, scorer.target_mask))
    return (scorer.logprobs(*scorer.inputs()) - before)[0] / math.log(2)


def test_attributions_are_complete(inputs):
    model, sources, targets = inputs
    for source, target, found in zip(sources, targets, IntegratedGradients(200)(*inputs), strict=True):
        expected = gain(model, source, target)
        if found.matrix is None:
            total = figures([sum(found.scores)])
        else:
            total = figures(found.matrix).sum(0) + figures(found.prefix_matrix).sum(0)
        assert_close(total, expected, rtol=0, atol=1e-3)
        assert found.details["completeness_gap_bits"] == pytest.approx(float((total - expected).abs().max()), abs=1e-9)


@pytest.mark.parametrize("name", ["ssru", "t5", "roberta-classifier"])
def test_the_completeness_gap_is_reported(tiny_model, tiny_encoder, name):
    inputs = example_inputs(tiny_model, tiny_encoder, name)
    gaps = [IntegratedGradients(steps)(*inputs)[0].details["completeness_gap_bits"] for steps in (1, 200)]
    assert gaps[1] < gaps[0] / 3
    assert gaps[0] > 1e-4


@pytest.mark.parametrize("layer", [1, 3])
def test_attributions_at_a_layer_are_complete(tiny_model, tiny_encoder, layer):
    inputs = example_inputs(tiny_model, tiny_encoder, "marian")
    for found in IntegratedGradients(200, layer=layer)(*inputs):
        assert found.details["completeness_gap_bits"] < 1e-3
        assert found.layer == layer


@pytest.mark.parametrize("name", ["marian", "bert-classifier"])
def test_equals_a_slow_integral_by_the_midpoint_rule(tiny_model, tiny_encoder, name):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
    source, target = sources[2], targets[2]
    scorer = target_scorer(model, [source], [target])
    with torch.no_grad():
        ends = scorer.inputs()
        starts = scorer.inputs(scorer.batch.word_index >= 0, scorer.target_mask)
    steps, total = 200, 0.0
    for step in range(steps):
        share = (step + 0.5) / steps
        states, *prefix = [start + share * (end - start) for start, end in zip(starts, ends, strict=True)]
        states.requires_grad_()
        answers = scorer.logprobs(states, *prefix)[0]
        (gradient,) = torch.autograd.grad(answers[-1], states)
        total = total + (gradient * (ends[0] - starts[0]))[0].sum(1).detach() / steps / math.log(2)
    found = IntegratedGradients(100)(model, [source], [target])[0]
    if found.matrix is None:
        assert_close(figures(found.scores), total, rtol=0, atol=1e-4)
    else:
        words = torch.zeros(len(source.words)).double()
        inside = torch.tensor(source.word_index) >= 0
        words.index_add_(0, torch.tensor(source.word_index)[inside], total[inside])
        assert_close(figures([row[-1] for row in found.matrix]), words, rtol=0, atol=1e-4)


def test_one_step_is_exact_for_a_linear_model(tiny_model, tiny_encoder, monkeypatch):
    """log p is linear in the embeddings: attributions are (x - b) w, whatever the steps."""
    model, sources, labels = example_inputs(tiny_model, tiny_encoder, "bert-classifier")
    weight = torch.randn(16, generator=torch.Generator().manual_seed(0)).double()

    def classify(states, mask, from_layer=0):
        score = (states @ weight * mask).sum(1) / 1000
        logprob = score - 1  # log p = score - 1 < 0, the rest of the mass goes to the other two
        other = torch.log1p(-logprob.exp()) - math.log(2)
        return torch.stack([logprob, other, other], dim=1)

    monkeypatch.setattr(model, "classify", classify)
    for source, found in zip(sources, IntegratedGradients(1)(model, sources, [0, 0, 0]), strict=True):
        unknown = [
            model.unknown_id if word >= 0 else piece for piece, word in zip(source.ids, source.word_index, strict=True)
        ]
        with torch.no_grad():
            end, start = (model.embed(torch.tensor([ids]))[0] for ids in (source.ids, unknown))
        expected = (end - start) @ weight / 1000 / math.log(2)
        assert_close(figures(found.scores), expected, rtol=1e-5, atol=1e-9)
        assert found.details["completeness_gap_bits"] < 1e-12


def test_batches_mix_steps_of_several_sentences(tiny_model, tiny_encoder):
    inputs = example_inputs(tiny_model, tiny_encoder, "ssru")
    expected = IntegratedGradients(7)(*inputs, batch_size=1)
    for batch_size in (3, 7, 16, 64):
        for found, one in zip(IntegratedGradients(7)(*inputs, batch_size=batch_size), expected, strict=True):
            assert_close(figures(found.matrix), figures(one.matrix))
            assert_close(figures(found.prefix_matrix), figures(one.prefix_matrix))
            assert found.passes == one.passes == 7 * (1 + len(found.target_tokens)) + 2


def test_an_unknown_piece_gets_0(tiny_model, tiny_encoder):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, "bert-classifier")
    source = model.tokenize_source("the 中 house")
    found = IntegratedGradients(5)(model, [source], [1])[0]
    assert found.scores[source.ids.index(model.unknown_id)] == 0
    assert any(found.scores)


def test_it_works_inside_no_grad(tiny_model, tiny_encoder):
    for name in ("ssru", "bert-classifier"):
        inputs = example_inputs(tiny_model, tiny_encoder, name)
        plain = IntegratedGradients(3)(*inputs)
        with torch.no_grad():
            assert IntegratedGradients(3)(*inputs) == plain
        with torch.inference_mode():
            assert IntegratedGradients(3)(*inputs) == plain


def test_no_steps():
    with pytest.raises(RequestError, match="at least 1 step, not 0"):
        IntegratedGradients(0)
