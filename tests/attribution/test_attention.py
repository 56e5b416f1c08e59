"""Attention against Hugging Face's own `output_attentions`, sentence by sentence; rollout against its definition."""

import copy

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.attention import Attention
from nmt_ib.errors import RequestError
from tests.attribution.examples import example_inputs, figures
from tests.oracles.alti import times
from tests.tiny_encoders import ENCODERS
from tests.tiny_models import MODELS

TOLERANCE = {"rtol": 0, "atol": 1e-9}
CLASSIFIERS = [name for name in ENCODERS if name.endswith("classifier")]


def hf_attentions(model, ids, **decoder):
    """Hugging Face's own forward pass over one sentence, in a copy: transformers leaves hooks behind."""
    network = copy.deepcopy(model.model)
    network.set_attn_implementation("eager")
    with torch.no_grad():
        return network(input_ids=torch.tensor([ids]), output_attentions=True, **decoder)


def rolled(attentions):
    made = torch.eye(attentions[0].shape[-1], dtype=torch.float64)
    for weights in attentions:
        mean = weights[0].mean(0)
        made = times(0.5 * mean + 0.5 * torch.eye(len(mean), dtype=torch.float64), made)
    return made


def hf_matrices(tiny, source, target, layer, *, rollout):
    """Of one sentence: source pieces x target tokens, and token read x target token where there is self-attention."""
    start = tiny.model.tokenizer.convert_tokens_to_ids(list(tiny.start))
    inputs = torch.tensor([[*start, *target.ids[:-1]]])
    given = hf_attentions(tiny.model, source.ids, decoder_input_ids=inputs, use_cache=False)
    cross = given.cross_attentions[layer - 1][0].mean(0)
    if rollout:
        cross = times(cross, rolled(given.encoder_attentions))
    cross = cross[-len(target) :].T
    if not given.decoder_attentions:
        return cross, None
    own = given.decoder_attentions[:layer]
    read = rolled(own) if rollout else own[-1][0].mean(0)
    prefix = torch.zeros(len(target), len(target), dtype=torch.float64)
    prefix[:-1] = read[-len(target) :, -len(target) + 1 :].T
    return cross, prefix


@pytest.mark.parametrize("rollout", [False, True])
@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_a_translation_equals_the_definition(tiny_model, tiny_encoder, name, layer, rollout):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
    found = Attention(layer=layer, rollout=rollout)(model, sources, targets, batch_size=2)
    for source, target, each in zip(sources, targets, found, strict=True):
        pieces, prefix = hf_matrices(tiny_model(name), source, target, layer, rollout=rollout)
        inside = torch.tensor(source.word_index) >= 0
        assert_close(figures(each.scores), pieces.sum(1) * inside, **TOLERANCE)
        for word, row in enumerate(each.matrix):
            mine = [place for place, index in enumerate(source.word_index) if index == word]
            assert_close(figures(row), pieces[mine].sum(0), **TOLERANCE)
        assert each.details["special"] == pytest.approx(pieces[~inside].sum(0).mean().item())
        assert (each.prefix_matrix is None) == name.startswith("ssru") == (prefix is None)
        if prefix is not None:
            assert_close(figures(each.prefix_matrix), prefix, **TOLERANCE)
        assert (each.part, each.layer, each.passes) == ("decoder", layer, 2 if rollout else 1)
        assert (each.method, each.unit) == ("attention_rollout" if rollout else "attention", "")


@pytest.mark.parametrize("rollout", [False, True])
@pytest.mark.parametrize("layer", [None, 1, 2])
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_equals_the_definition(tiny_model, tiny_encoder, name, layer, rollout):
    model, sources, labels = (
        example_inputs(tiny_model, tiny_encoder, name) if name in CLASSIFIERS else bare(tiny_encoder, name)
    )
    found = Attention(layer=layer, rollout=rollout)(model, sources, labels, batch_size=2)
    for source, each in zip(sources, found, strict=True):
        attentions = hf_attentions(model, source.ids).attentions[: layer or model.encoder_layers]
        rows = rolled(attentions) if rollout else attentions[-1][0].mean(0)
        expected = rows[0] if name in CLASSIFIERS else rows.mean(0)
        inside = torch.tensor(source.word_index) >= 0
        assert_close(figures(each.scores), expected * inside, **TOLERANCE)
        assert sum(each.scores) + each.details["special"] == pytest.approx(1)
        assert each.matrix is None
        assert (each.part, each.layer) == ("encoder", layer or model.encoder_layers)


def bare(tiny_encoder, name):
    model = tiny_encoder(name)
    return model, [model.tokenize_source(text) for text in ("The house is old.", "no")], None


def test_a_missing_layer_is_an_error(tiny_model, tiny_encoder):
    with pytest.raises(RequestError, match="tiny has decoder layers 1 to 2, not 3"):
        Attention(layer=3)(*example_inputs(tiny_model, tiny_encoder, "ssru"))
    with pytest.raises(RequestError, match="tiny has encoder layers 1 to 3, not 4"):
        Attention(layer=4)(*example_inputs(tiny_model, tiny_encoder, "bert-classifier"))
