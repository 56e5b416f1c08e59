"""Gradients against finite differences, and in closed form."""

import math

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.gradient import Gradient
from nmt_ib.attribution.scoring import target_scorer
from nmt_ib.errors import RequestError
from tests.attribution.examples import example_inputs, figures

# Not T5, whose norms round to float32, too coarse for differences.
KINDS = ("marian", "ssru", "mbart-50", "bert-classifier", "electra-classifier", "roberta-classifier")
STEP = 1e-5


@pytest.fixture(params=KINDS)
def inputs(request, tiny_model, tiny_encoder):
    return example_inputs(tiny_model, tiny_encoder, request.param)


@torch.no_grad()
def states_of(scorer, layer):
    embeddings, *prefix = scorer.inputs()
    return [scorer.model.encode(embeddings, scorer.batch.mask, to_layer=layer), *prefix]


@torch.no_grad()
def slopes(scorer, inputs, part, place, layer):
    """Central differences of each answer in bits, one row a dimension of what stands at a place."""
    rows = []
    for dimension in range(inputs[part].shape[2]):
        ends = []
        for step in (STEP, -STEP):
            moved = [given.clone() for given in inputs]
            moved[part][0, place, dimension] += step
            ends.append(scorer.logprobs(*moved, from_layer=layer)[0])
        rows.append((ends[0] - ends[1]) / (2 * STEP) / math.log(2))
    return torch.stack(rows)


@pytest.mark.parametrize("layer", [0, 2])
def test_equals_finite_differences(inputs, layer):
    model, sources, targets = inputs
    scorer = target_scorer(model, sources[:1], targets[:1])
    states = states_of(scorer, layer)
    length = Gradient(layer=layer)(model, sources, targets)[0]
    product = Gradient(times_input=True, layer=layer)(model, sources, targets)[0]
    for word in (0, len(sources[0].words) - 1):
        places = [place for place, index in enumerate(sources[0].word_index) if index == word]
        differences = [slopes(scorer, states, 0, place, layer) for place in places]
        lengths = torch.stack([difference.norm(dim=0) for difference in differences]).sum(0)
        products = torch.stack([states[0][0, place] @ each for place, each in zip(places, differences, strict=True)])
        assert length.word_scores[word] == pytest.approx(float(lengths.sum()), rel=1e-5)
        assert product.word_scores[word] == pytest.approx(float(products.sum()), rel=1e-5, abs=1e-8)
        if length.matrix is not None:
            assert_close(figures(length.matrix[word]), lengths, rtol=1e-5, atol=1e-7)
            assert_close(figures(product.matrix[word]), products.sum(0), rtol=1e-5, atol=1e-7)
    if length.prefix_matrix is not None:
        difference = slopes(scorer, states, 1, 2, layer)  # at position 2 the decoder reads token 1
        assert_close(figures(length.prefix_matrix[1]), difference.norm(dim=0), rtol=1e-5, atol=1e-7)
        expected = states[1][0, 2] @ difference
        assert_close(figures(product.prefix_matrix[1]), expected, rtol=1e-5, atol=1e-7)


def test_tokens_have_no_gradient_for_earlier_ones(inputs):
    for found in Gradient()(*inputs):
        if found.prefix_matrix is not None:
            prefix = torch.tensor(found.prefix_matrix)
            assert not prefix.tril().any()
            assert (prefix[0, 1:] > 0).all()


def test_fields_of_the_attribution(inputs):
    model, sources, targets = inputs
    answers = [1 if isinstance(target, int) else len(target) for target in targets]
    for method, name, unit in ((Gradient(), "gradient", ""), (Gradient(times_input=True), "input_x_gradient", "bits")):
        found = method(model, sources, targets)
        assert {(each.method, each.unit, each.layer) for each in found} == {(name, unit, 0)}
        assert [each.passes for each in found] == [1 + number for number in answers]
    assert Gradient(layer=2)(model, sources, targets)[0].layer == 2


def test_final_states_that_the_classifier_does_not_read_have_no_gradient(tiny_model, tiny_encoder):
    inputs = example_inputs(tiny_model, tiny_encoder, "distilbert-classifier")
    assert not any(any(found.scores) for found in Gradient(layer=3)(*inputs))  # only [CLS] is read


def test_it_works_inside_no_grad(inputs):
    model, sources, targets = inputs
    plain = Gradient()(model, sources, targets)
    with torch.no_grad():
        assert Gradient()(model, sources, targets) == plain
    with torch.inference_mode():
        assert Gradient()(model, sources, targets) == plain


def test_a_missing_layer_is_an_error(inputs):
    with pytest.raises(RequestError, match="layer 9 of 3 layers"):
        Gradient(layer=9)(*inputs)
