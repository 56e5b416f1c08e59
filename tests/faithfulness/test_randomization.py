"""Randomized models: attributions that depend on the model change, others do not; weights are restored."""

import numpy as np
import pytest
import torch

from nmt_ib.attribution.gradient import Gradient
from nmt_ib.attribution.random_scores import RandomScores
from nmt_ib.faithfulness.randomization import randomization_check, randomized, rank_correlation

SOURCES = ("The old house is red.", "A dog sleeps near the old red door, she said.", "It was easy, and it was not.")
TARGETS = ("A casa velha é vermelha.", "Um cão dorme perto da porta.", "Era fácil, não era?")
MODELS = ("ssru", "bart", "t5-untied", "bert-classifier", "distilbert-classifier", "deberta-v2-classifier")


@pytest.fixture(params=MODELS)
def asked(request, tiny_model, tiny_encoder):
    """A model with sentences and targets."""
    if "classifier" in request.param:
        model = tiny_encoder(request.param)
        return model, [model.tokenize_source(text) for text in SOURCES], [0, 1, 2]
    model = tiny_model(request.param).model
    sources = [model.tokenize_source(text) for text in SOURCES]
    return model, sources, [model.tokenize_target(text) for text in TARGETS]


def weights(model):
    return {name: weight.clone() for name, weight in model.model.named_parameters()}


def test_parts_from_output_to_embeddings_contain_every_weight(asked):
    model, *_ = asked
    names = [name for name, _ in model.parts]
    layers = [name for name in names if name.split()[0] in ("layer", "encoder", "decoder")]
    assert names[-1] == "embeddings"
    assert len(layers) == model.encoder_layers + getattr(model, "decoder_layers", 0)
    assert layers[-1] in ("layer 1", "encoder 1")
    assert layers == names[-1 - len(layers) : -1]
    held = {id(weight) for _, part in model.parts for weight in part.parameters()}
    assert held == {id(weight) for weight in model.model.parameters()}


def test_only_the_parts_change_and_are_restored(asked):
    model, *_ = asked
    before = weights(model)
    parts = model.parts[:2]
    inside = {id(weight) for _, part in parts for weight in part.parameters()}
    with randomized([part for _, part in parts], torch.Generator().manual_seed(0)):
        for name, weight in model.model.named_parameters():
            assert torch.equal(weight, before[name]) == (id(weight) not in inside), name
    assert all(torch.equal(weight, before[name]) for name, weight in model.model.named_parameters())


def test_weights_are_restored_if_the_body_raises(asked):
    model, *_ = asked
    before = weights(model)
    with pytest.raises(ValueError, match="stop"), randomized([model.model], torch.Generator()):
        raise ValueError("stop")
    assert all(torch.equal(weight, before[name]) for name, weight in model.model.named_parameters())


def test_random_weights_have_the_moments_of_the_original_ones():
    layer = torch.nn.Linear(300, 300).double()
    layer.weight.data.mul_(3).add_(5)
    mean, deviation = layer.weight.mean().item(), layer.weight.std().item()
    with randomized([layer], torch.Generator().manual_seed(0)):
        assert layer.weight.mean().item() == pytest.approx(mean, rel=0.01)
        assert layer.weight.std().item() == pytest.approx(deviation, rel=0.01)


def test_a_method_that_reads_the_model_changes_and_random_scores_do_not(asked):
    model, sources, targets = asked
    before = weights(model)
    for method, least, most in ((RandomScores(), 1, 1), (Gradient(times_input=True), -1, 0.9)):
        stages = randomization_check(model, model.parts, method, sources, targets, seed=1)
        assert [stage.part for stage in stages] == [name for name, _ in model.parts]
        assert least <= round(stages[-1].rank_correlation, 9) <= most
    assert all(torch.equal(weight, before[name]) for name, weight in model.model.named_parameters())
    assert not any(part._forward_hooks or part.training for part in model.model.modules())


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1, 2, 3], [10, 20, 90], 1),
        ([1, 2, 3], [3, 2, 1], -1),
        ([1, 2, 3, 4], [1, 3, 2, 4], 0.8),  # 1 - 6 * 2 / (4 * 15)
        ([1, 1, 2], [1, 1, 5], 1),
        ([1, 2, 2, 3], [1, 2, 3, 4], 4.5 / np.sqrt(4.5 * 5)),
    ],
)
def test_rank_correlation_by_hand(left, right, expected):
    assert rank_correlation(left, right) == pytest.approx(expected)


def test_rank_correlation_of_constants_is_nan():
    assert np.isnan(rank_correlation([1, 1], [1, 2]))
