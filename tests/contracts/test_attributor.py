"""Contract of attribution methods, on tiny translation models and a tiny classifier."""

import json
from dataclasses import dataclass, replace
from functools import cache

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.alti import Alti
from nmt_ib.attribution.attention import Attention
from nmt_ib.attribution.bottleneck import Bottleneck
from nmt_ib.attribution.gradient import Gradient
from nmt_ib.attribution.integrated_gradients import IntegratedGradients
from nmt_ib.attribution.occlusion import Occlusion
from nmt_ib.attribution.sigma import Sigma
from nmt_ib.attribution.statistics_measurement import statistics_for
from nmt_ib.protocols import Attributor
from nmt_ib.results.attribution import Attribution
from tests.attribution.examples import example_inputs
from tests.tiny_models import ENGLISH


@dataclass(frozen=True)
class Measured:
    """A method whose prior is taken from a few sentences, once a model."""

    method: Sigma | Bottleneck

    def __call__(self, model, sources, targets, *, batch_size=32):
        return replace(self.method, statistics=few(model))(model, sources, targets, batch_size=batch_size)


@cache
def few(model):
    return statistics_for(model, ENGLISH, decoder=True)


METHODS: dict[str, Attributor] = {
    "gradient": Gradient(),
    "gradient-at-a-layer": Gradient(layer=2),
    "input-x-gradient": Gradient(times_input=True),
    "integrated-gradients": IntegratedGradients(steps=4),
    "integrated-gradients-at-a-layer": IntegratedGradients(steps=3, layer=1),
    "occlusion": Occlusion(),
    "sigma": Measured(Sigma(layer=2, products=2, steps=3, pairs=1)),
    "bottleneck": Measured(Bottleneck(steps=2, draws=2, per_token=False)),
    "attention": Attention(layer=2),
    "attention-rollout": Attention(rollout=True),
    "alti": Alti(),
}
KINDS = ("marian", "ssru", "t5", "bert-classifier")
FIGURES = ("scores", "bits", "sigma", "matrix", "prefix_matrix", "details")
HOSTILE = "<script>alert('x')</script> & \"dog\""


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


@pytest.fixture(params=KINDS)
def inputs(request, tiny_model, tiny_encoder):
    """A model, tokenised sentences, and translations or labels."""
    return example_inputs(tiny_model, tiny_encoder, request.param)


def assert_same(found, expected):
    """Equal but for rounding."""
    for one, other in zip(found, expected, strict=True):
        for name in FIGURES:
            assert_figures(getattr(one, name), getattr(other, name))
        blank = dict.fromkeys(FIGURES)
        assert replace(one, **blank) == replace(other, **blank)


def assert_figures(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if one is None:
        assert other is None
    else:
        tensors = [torch.tensor(figures, dtype=torch.float64) for figures in (one, other)]
        assert_close(*tensors, rtol=1e-6, atol=1e-7)


def snapshot(model):
    """All that a method could leave behind in the network."""
    network = model.model
    return {
        "hooks": {
            name: (len(part._forward_hooks), len(part._forward_pre_hooks), len(part._backward_hooks))
            for name, part in network.named_modules()
        },
        "layers": [name for name, _ in network.named_modules()],
        "mode": {name: part.training for name, part in network.named_modules()},
        "weights": {name: (id(weight), weight.sum().item()) for name, weight in network.named_parameters()},
        "requires_grad": {name: weight.requires_grad for name, weight in network.named_parameters()},
        "gradients": {  # of the training that the tiny models had
            name: (id(weight.grad), weight.grad.sum().item())
            for name, weight in network.named_parameters()
            if weight.grad is not None
        },
        "attention": [part.config._attn_implementation for part in network.modules() if hasattr(part, "config")],
    }


def test_is_an_attributor(method):
    assert isinstance(method, Attributor)


def test_one_attribution_per_sentence_with_a_score_per_piece(method, inputs):
    model, sources, targets = inputs
    found = method(model, sources, targets)
    assert [each.text for each in found] == [source.text for source in sources]
    for source, target, each in zip(sources, targets, found, strict=True):
        assert each.tokens == source.pieces
        assert each.word_index == source.word_index
        assert each.words == tuple(word.text for word in source.words)
        assert each.special == tuple(word < 0 for word in source.word_index)
        assert len(each.scores) == len(source)
        assert all(figures is None or len(figures) == len(source) for figures in (each.bits, each.sigma))
        assert torch.tensor(each.scores).isfinite().all()
        assert any(each.scores)
        assert each.passes > 0
        label = isinstance(target, int)
        explained = (model.labels[target], (model.labels[target],)) if label else (target.text, target.pieces)
        looks_at_a_state = each.method == "sigma"  # and explains no answer
        assert (each.target, each.target_tokens) == (("", ()) if looks_at_a_state else explained)
        assert not label or each.matrix is each.prefix_matrix is None


def test_a_matrix_has_a_row_per_word_and_a_column_per_target_token(method, inputs):
    model, sources, targets = inputs
    for source, target, each in zip(sources, targets, method(model, sources, targets), strict=True):
        if each.matrix is not None:
            matrix = torch.tensor(each.matrix)
            assert matrix.shape == (len(source.words), len(target))
            assert matrix.isfinite().all()
        if each.prefix_matrix is not None:
            prefix = torch.tensor(each.prefix_matrix)
            assert prefix.shape == (len(target), len(target))
            assert prefix.isfinite().all()
            assert not prefix.tril().any()


def test_special_pieces_score_0(method, inputs):
    for each in method(*inputs):
        for special, score in zip(each.special, each.scores, strict=True):
            assert not special or score == 0


def test_results_do_not_depend_on_batch_size_padding_and_order(method, inputs):
    model, sources, targets = inputs
    expected = method(model, sources, targets, batch_size=64)
    assert_same(method(model, sources[::-1], targets[::-1], batch_size=64)[::-1], expected)
    assert_same(method(model, sources, targets, batch_size=2), expected)
    alone = [
        method(model, [source], [target], batch_size=1)[0] for source, target in zip(sources, targets, strict=True)
    ]
    assert_same(alone, expected)


def test_equal_inputs_give_equal_attributions(method, inputs):
    model, sources, targets = inputs
    found = method(model, sources, targets)
    assert method(model, sources, targets) == found
    twice = method(model, [sources[1], sources[0], sources[1]], [targets[1], targets[0], targets[1]])
    assert_same([twice[0], twice[2]], [found[1], found[1]])


def test_nothing_to_do(method, inputs):
    assert method(inputs[0], [], []) == []


def test_a_sentence_without_words(method, inputs):
    model, sources, targets = inputs
    empty = model.tokenize_source(" ")
    found = method(model, [sources[0], empty], targets[:2])
    assert_same(found[:1], method(model, sources[:1], targets[:1]))
    assert not any(found[1].scores)
    assert not found[1].matrix


def test_json_round_trip(method, inputs):
    for each in method(*inputs):
        assert Attribution.from_dict(json.loads(json.dumps(each.to_dict(), allow_nan=False))) == each


def test_data_frames(method, inputs):
    for each in method(*inputs):
        table = each.to_dataframe()
        assert list(table["token"]) == list(each.tokens)
        assert list(table["score"]) == list(each.scores)
        assert set(table.columns) - {"bits", "sigma"} == {"token", "special", "word", "score"}
        matrix = each.matrix_to_dataframe()
        if each.matrix is not None:
            assert list(matrix.index) == list(each.words)
            assert tuple(matrix.columns) == each.target_tokens


def test_html_is_escaped(method, inputs):
    model, _, targets = inputs
    target = targets[0] if isinstance(targets[0], int) else model.tokenize_target(HOSTILE)
    shown = method(model, [model.tokenize_source(HOSTILE)], [target])[0]._repr_html_()
    assert "<script" not in shown
    assert "<unk>" not in shown
    assert shown.startswith("<p>")


def test_the_model_is_unchanged(method, inputs):
    model, sources, targets = inputs
    before = snapshot(model)
    method(model, sources, targets)
    assert snapshot(model) == before
    assert set(before["hooks"].values()) == {(0, 0, 0)}


def test_the_model_is_unchanged_after_an_error(method, inputs, monkeypatch):
    model, sources, targets = inputs
    before = snapshot(model)
    first = next(part for part in model.model.modules() if isinstance(part, torch.nn.Linear))
    monkeypatch.setattr(first, "forward", lambda *_: torch.zeros(1) @ torch.zeros(2))
    with pytest.raises(RuntimeError):
        method(model, sources, targets)
    monkeypatch.undo()
    assert snapshot(model) == before
