"""The bottleneck against closed forms and its slow twin, and its invariances."""

import math

import pytest
import torch
from torch.distributions import Normal
from torch.testing import assert_close

from nmt_ib.attribution.bottleneck import Bottleneck
from nmt_ib.attribution.gate import gate_nats
from nmt_ib.attribution.statistics import CorpusStatistics, LayerStatistics
from nmt_ib.attribution.statistics_measurement import measure_statistics
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier
from tests.oracles.bottleneck import Slow
from tests.oracles.linear_classifier import Linear

SOURCES = ["The old house is red.", "A dog sleeps near the old red door, she said.", "no"]
TARGETS = ["A casa velha é vermelha.", "Um cão dorme perto.", "Um"]
TRANSLATORS = ("ssru", "bart", "m2m100", "t5")
CLASSIFIERS = ("bert-classifier", "electra-classifier")


@pytest.fixture(params=TRANSLATORS)
def translator(request, tiny_model):
    return tiny_model(request.param).model


@pytest.fixture(params=CLASSIFIERS)
def classifier(request, tiny_encoder):
    return tiny_encoder(request.param)


@pytest.fixture(scope="session")
def asked():
    """Model -> sources, targets and statistics."""
    kept = {}

    def of(model):
        if id(model) not in kept:
            sources = [model.tokenize_source(text) for text in SOURCES]
            translates = hasattr(model, "decode")
            targets = [model.tokenize_target(text) for text in TARGETS] if translates else [0, 2, 1]
            statistics = measure_statistics(model, sources, targets if translates else None)
            kept[id(model)] = (sources, targets, statistics)
        return kept[id(model)]

    return of


def settings(statistics, **changed):
    return Bottleneck(**{"statistics": statistics, "beta": 0.3, "steps": 3, "draws": 4, "seed": 7, **changed})


def assert_same(found, expected, atol=1e-7):
    for one, other in zip(found, expected, strict=True):
        for field in ("scores", "matrix", "prefix_matrix"):
            mine, theirs = getattr(one, field), getattr(other, field)
            assert (mine is None) == (theirs is None)
            if mine is not None:
                assert_close(torch.tensor(mine), torch.tensor(theirs), rtol=0, atol=atol)
        assert_close(
            torch.tensor(list(one.details.values())), torch.tensor(list(other.details.values())), rtol=0, atol=atol
        )


def standard(width):
    prior = LayerStatistics(torch.full((width,), 0.2).double(), torch.linspace(0.5, 1.5, width).double(), 0)
    return CorpusStatistics("linear", "", {"encoder.0": prior}, 1.0)


def optimal_gate(weights, state, prior, beta):
    """alpha at which the slope of E[-ln p(yes)] + beta KL / D is 0, by quadrature of the noise and bisection."""
    draws = Normal(0.0, 1.0).icdf((torch.arange(20_000).double() + 0.5) / 20_000)
    spread = ((weights * prior.std) ** 2).sum().sqrt()

    def slope(alpha):
        gate = torch.tensor([alpha]).double().requires_grad_()
        through = gate.sigmoid()
        score = through * (weights * state).sum() + (1 - through) * ((weights * prior.mean).sum() + spread * draws)
        nats = gate_nats(gate, (state - prior.mean) / prior.std)
        loss = torch.nn.functional.softplus(-score).mean() + beta * nats / len(weights)
        return float(torch.autograd.grad(loss, gate)[0])

    low, high = -6.0, 6.0
    assert slope(low) < 0 < slope(high)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return low


@pytest.mark.parametrize("beta", [0.05, 0.2])
def test_the_gate_of_a_linear_classifier_converges_to_the_optimum(beta):
    weights, state = torch.tensor([1.0, -2.0, 0.5]).double(), torch.tensor([1.5, -1.0, 0.4]).double()
    model, statistics = Linear(weights[None], state[None]), standard(3)
    assert isinstance(model, Classifier)
    prior = statistics.layer(0)
    alpha = optimal_gate(weights, state, prior, beta)
    expected = float(gate_nats(torch.tensor([alpha]).double(), (state - prior.mean) / prior.std)) / math.log(2)
    method = Bottleneck(beta=beta, steps=400, draws=256, learning_rate=0.03, statistics=statistics)
    found = method(model, [model.tokenize_source("0")], [1], batch_size=256)[0]
    assert found.scores[0] == pytest.approx(expected, rel=0.02)
    assert found.converged


@pytest.mark.parametrize("per", ["word", "dimension"])
def test_the_gate_of_an_irrelevant_word_closes(per):
    weights = torch.tensor([[2.0, -2.0], [0.0, 0.0]])
    model = Linear(weights, torch.tensor([[2.0, -2.0], [3.0, 3.0]]))
    method = Bottleneck(beta=0.1, steps=30, per=per, statistics=standard(2))
    read, unread = method(model, [model.tokenize_source("0 1")], [1])[0].scores
    assert read > 0.5
    assert unread < 1e-3


@pytest.mark.parametrize(("per", "normalization"), [("word", "word"), ("dimension", "mean")])
def test_the_matrix_equals_the_slow_twin(translator, asked, per, normalization):
    sources, targets, statistics = asked(translator)
    method = settings(statistics, per=per, normalization=normalization, beta=20.0 if normalization == "mean" else 0.3)
    found = method(translator, sources[:1], targets[:1])[0]
    for token in (0, 1, len(targets[0]) - 1):
        pieces, prefix = Slow(method, translator, statistics, sources[0], targets[0], token).run()
        words = [0.0] * len(sources[0].words)
        for word, bits in zip(sources[0].word_index, pieces, strict=True):
            words[word] += bits if word >= 0 else 0.0
        assert_close([row[token] for row in found.matrix], words, rtol=1e-6, atol=1e-6)
        assert_close([row[token] for row in found.prefix_matrix], [*prefix[1:], 0.0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_all_tokens_together_equal_the_slow_twin(translator, asked, layer):
    sources, targets, statistics = asked(translator)
    method = settings(statistics, per_token=False, layer=layer)
    found = method(translator, sources, targets)[0]
    pieces = Slow(method, translator, statistics, sources[0], targets[0]).run()[0]
    assert_close(list(found.scores), pieces, rtol=1e-6, atol=1e-6)
    assert found.prefix_matrix is None
    assert found.matrix is None


@pytest.mark.parametrize("layer", [0, 2])
def test_a_classifier_equals_the_slow_twin(classifier, asked, layer):
    sources, labels, statistics = asked(classifier)
    method = settings(statistics, layer=layer)
    for found, source, label in zip(method(classifier, sources, labels), sources, labels, strict=True):
        assert_close(
            list(found.scores), Slow(method, classifier, statistics, source, label).run()[0], rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize("per_token", [True, False])
def test_results_do_not_depend_on_batch_size_order_and_padding(translator, asked, per_token):
    sources, targets, statistics = asked(translator)
    method = settings(statistics, per_token=per_token)
    expected = method(translator, sources, targets, batch_size=512)
    assert_same(method(translator, sources[::-1], targets[::-1], batch_size=12)[::-1], expected)
    assert_same(method(translator, sources[2:], targets[2:], batch_size=1), expected[2:])


def test_a_padded_batch_of_a_classifier_equals_single_sentences(classifier, asked):
    sources, labels, statistics = asked(classifier)
    method = settings(statistics)
    alone = [method(classifier, [source], [label])[0] for source, label in zip(sources, labels, strict=True)]
    assert_same(method(classifier, sources, labels), alone)


def test_fields_of_the_attribution(translator, asked):
    sources, targets, statistics = asked(translator)
    method = settings(statistics)
    for found, target in zip(method(translator, sources, targets), targets, strict=True):
        assert found.unit == "bits"
        assert found.bits == found.scores
        assert found.passes == len(target) * (2 + 4 * 7)
        assert [score for score, special in zip(found.scores, found.special, strict=True) if special] == [0.0] * sum(
            found.special
        )
        prefix = torch.tensor(found.prefix_matrix)
        assert (prefix.tril() == 0).all()
        assert (prefix[torch.ones_like(prefix).triu(1).bool()] > 0).all()
        through = torch.tensor(found.matrix).sum() + prefix.sum()
        assert found.details["information_nats"] == pytest.approx(float(through) * math.log(2))
        assert found.details["ungated_nats"] > 0


def test_the_model_is_unchanged(translator, asked):
    sources, targets, statistics = asked(translator)
    weights = list(translator.model.parameters())
    before = [(weight.clone(), weight.grad if weight.grad is None else weight.grad.clone()) for weight in weights]
    settings(statistics)(translator, sources[2:], targets[2:])
    for weight, (value, gradient) in zip(weights, before, strict=True):
        assert torch.equal(weight, value)
        assert weight.grad is gradient or torch.equal(weight.grad, gradient)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"normalization": "sum"}, "word, mean"),
        ({"per": "sentence"}, "word, dimension"),
        ({"draws": 3}, "even"),
        ({"steps": 0}, "at least one step"),
    ],
)
def test_a_wrong_setting_is_named(changed, message):
    with pytest.raises(RequestError, match=message):
        Bottleneck(**changed)


def test_a_missing_layer_is_named(translator, asked):
    sources, targets, statistics = asked(translator)
    with pytest.raises(RequestError, match="0 \\(embeddings\\) to 3, not 4"):
        settings(statistics, layer=4)(translator, sources, targets)


def test_the_default_beta_depends_on_the_kind_of_model(tiny_model, tiny_encoder):
    translator, classifier = tiny_model("marian").model, tiny_encoder("bert-classifier")
    assert [Bottleneck().beta_for(model) for model in (translator, classifier)] == [1.0, 0.1]
    assert Bottleneck(beta=0.0).beta_for(translator) == 0.0
