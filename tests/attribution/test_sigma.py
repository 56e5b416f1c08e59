"""Sigma at every site of tiny models: objective, invariances and results."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.sigma import Sigma
from nmt_ib.attribution.statistics_measurement import measure_statistics
from nmt_ib.errors import RequestError
from tests.attribution.examples import example_inputs, figures
from tests.oracles import sigma_adam

TRANSLATORS = ("marian", "ssru", "t5")
ENCODER = [("encoder", 1), ("encoder", 2), ("encoder", 3)]
DECODER = [("decoder", 1), ("decoder", 2), ("logits", 1)]
CLASSIFIER = [*ENCODER, ("pooled", 1), ("logits", 1)]
SITES = [(name, *site) for name in TRANSLATORS for site in (*ENCODER, *DECODER)]
SITES += [("bert-classifier", *site) for site in CLASSIFIER]
QUICK = {"products": 2, "steps": 3, "pairs": 2}


@pytest.fixture(scope="session")
def asked(tiny_model, tiny_encoder):
    """Name -> a model, sentences, translations or labels, and statistics."""
    kept = {}

    def of(name):
        if name not in kept:
            model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
            translations = None if name.endswith("classifier") else targets
            kept[name] = model, sources, targets, measure_statistics(model, sources, translations)
        return kept[name]

    return of


def assert_same(found, expected, *, rtol=1e-6):
    for one, other in zip(found, expected, strict=True):
        for field in ("sigma", "bits", "scores", "matrix", "prefix_matrix"):
            mine, theirs = getattr(one, field), getattr(other, field)
            assert (mine is None) == (theirs is None)
            if mine is not None:
                assert_close(figures(mine), figures(theirs), rtol=rtol, atol=1e-9)
        assert one.details == pytest.approx(other.details, rel=1e-6, abs=1e-9)


@torch.no_grad()
def plain_state(model, source, target, part, layer):
    """The state of one sentence as the model's own parts give it."""
    batch = model.pad([source])
    embeddings = model.embed(batch.ids)
    if part == "encoder":
        return model.encoder_states(embeddings, batch.mask)[layer - 1]
    if isinstance(target, int):
        return (model.pooled if part == "pooled" else model.classify)(embeddings, batch.mask)[:, None]
    ids = torch.tensor([target.ids])
    decoded = model.decode(model.encode(embeddings, batch.mask), batch.mask, ids, with_layers=True)
    if part == "decoder":
        return decoded.layers[layer - 1]
    return model.logits(decoded.states).log_softmax(2).gather(2, ids[..., None])


@pytest.mark.parametrize(("name", "part", "layer"), SITES)
def test_results_at_every_site_do_not_depend_on_the_batch(asked, name, part, layer):
    model, sources, targets, statistics = asked(name)
    method = Sigma(layer=layer, part=part, statistics=statistics, **QUICK)
    found = method(model, sources, targets)
    assert_same(method(model, sources[::-1], targets[::-1], batch_size=8)[::-1], found)
    alone = [
        method(model, [source], [target], batch_size=1)[0] for source, target in zip(sources, targets, strict=True)
    ]
    assert_same(alone, found)
    for each in found:
        perturbed = [not special for special in each.special]
        assert [sigma > 0 for sigma in each.sigma] == perturbed
        assert [score > 0 for score in each.scores] == perturbed
        assert each.bits == each.scores
        assert (each.unit, each.method, each.layer) == ("bits", "sigma", layer)
        assert each.passes == 1 + 2 + 4 * 2 * 3
        assert 0 <= each.details["outside_cloud"] <= 1


@pytest.mark.parametrize(("name", "part", "layer"), SITES)
def test_state_and_weights_of_every_site(asked, name, part, layer):
    model, sources, targets, statistics = asked(name)
    method = Sigma(layer=layer, part=part, statistics=statistics)
    asked_for = targets if method.site.needs_target and not name.endswith("classifier") else None
    code, paper, state = (
        replace(method, **changed).problem(model, sources, asked_for, statistics=statistics)
        for changed in ({}, {"scaling": "paper"}, {"regularization": "state"})
    )
    scale = statistics.parts[method.site.key].std
    for place, (source, target) in enumerate(zip(sources, targets, strict=True)):
        expected = plain_state(model, source, target, part, layer)[0]
        length, count = len(expected), sum(word >= 0 for word in source.word_index)
        twice = code.states(2)(torch.cat([code.inputs, code.inputs]))
        assert_close(twice[place, :length], expected, rtol=1e-7, atol=1e-9)
        assert_close(twice[place], twice[place + len(sources)], rtol=1e-9, atol=1e-12)
        for problem in (code, paper, state):
            assert not problem.weights[place, length:].any()
            assert problem.state_mask[place].sum() == length
        wide = torch.ones_like(expected)
        assert_close(code.weights[place, :length], wide / scale**2 / expected.numel(), rtol=1e-9, atol=0)
        assert_close(paper.weights[place, :length], wide / scale**2, rtol=1e-9, atol=0)
        assert_close(state.weights[place, :length], wide / expected.square().sum(), rtol=1e-7, atol=0)
        assert code.entropy_weight[place] == pytest.approx(0.1 / count)
        assert paper.entropy_weight[place] == pytest.approx(0.1 * code.inputs.shape[2])


@pytest.mark.parametrize("name", ["marian", "bert-classifier"])
@pytest.mark.parametrize("include_special", [True, False])
def test_both_scalings_agree_if_the_rate_is_converted(asked, name, include_special):
    # paper: sums over O x U elements of the state, and over S pieces x D dimensions; code: means over both.
    model, sources, _, statistics = asked(name)
    for source in sources:
        count = len(source) if include_special else sum(word >= 0 for word in source.word_index)
        rate = 0.1 * len(source) / count  # O / S, as U = D; with all pieces perturbed the rates are one
        settings = {"layer": 2, "include_special": include_special, "statistics": statistics, **QUICK}
        code = Sigma(rate=0.1, scaling="code", **settings)(model, [source])
        assert_same(Sigma(rate=rate, scaling="paper", **settings)(model, [source]), code)
        assert include_special == (rate == pytest.approx(0.1))


@pytest.mark.parametrize("regularization", ["corpus", "state"])
def test_many_adam_steps_find_no_lower_loss(asked, regularization):
    model, sources, _, statistics = asked("bert-classifier")
    method = Sigma(layer=2, regularization=regularization, statistics=statistics, steps=12)
    source = sources[2]
    problem = method.problem(model, [source], statistics=statistics)

    def state(embeddings):
        mask = torch.ones(len(embeddings), len(source), dtype=torch.bool)
        return model.encode(embeddings, mask, to_layer=2)

    slow = sigma_adam.search(
        state, problem.inputs[0], statistics.layer(2).std if regularization == "corpus" else None,
        scale=2.0, steps=200, learning_rate=0.05, draws=6, perturbed=problem.perturbed[0],
    )  # fmt: skip
    ours = figures(method(model, [source])[0].sigma)
    losses = [
        float(replace(method, seed=99).problem(model, [source], statistics=statistics).objective(sigma[None], 800))
        for sigma in (ours, slow.sigma)
    ]
    assert losses[0] < losses[1] + 1e-3


@pytest.mark.parametrize("name", ["ssru", "bert-classifier"])
def test_special_pieces_are_perturbed_on_request(asked, name):
    model, sources, targets, statistics = asked(name)
    for each in Sigma(layer=2, include_special=True, statistics=statistics, **QUICK)(model, sources, targets):
        assert min(each.sigma) > 0
        assert min(each.scores) > 0


def test_a_higher_rate_leaves_fewer_bits(asked):
    model, sources, _, statistics = asked("ssru")
    low, high = (Sigma(layer=2, rate=rate, statistics=statistics, **QUICK)(model, sources) for rate in (0.02, 0.5))
    for one, other in zip(low, high, strict=True):
        assert sum(one.scores) > sum(other.scores)
        assert one.details["discarded_bits"] <= other.details["discarded_bits"]
        assert one.details["outside_cloud"] <= other.details["outside_cloud"]


def test_large_noise_leaves_the_cloud_and_small_noise_does_not(asked):
    model, sources, _, statistics = asked("bert-classifier")
    far, near = (Sigma(rate=rate, statistics=statistics, **QUICK)(model, sources) for rate in (1e4, 1e-8))
    assert all(each.details["outside_cloud"] == 1 for each in far)
    assert all(each.details["outside_cloud"] < 0.2 for each in near)


def test_bits_by_hand(asked):
    model, sources, _, statistics = asked("bert-classifier")
    each = Sigma(layer=3, rate=2.0, statistics=statistics, **QUICK)(model, sources[:1])[0]
    spread, discarded = statistics.layer(0).std.tolist(), 0.0
    for sigma, bits in zip(each.sigma, each.bits, strict=True):
        if sigma == 0:
            assert bits == 0
            continue
        assert bits == pytest.approx(sum(0.5 * math.log2(1 + (s / sigma) ** 2) for s in spread))
        discarded += max(0.0, sum(math.log2(sigma / s) for s in spread))
    assert each.details["discarded_bits"] == pytest.approx(discarded)
    assert discarded > 0


@pytest.mark.parametrize("name", TRANSLATORS[1:])
@pytest.mark.parametrize(("part", "layer"), [("decoder", 2), ("logits", 1)])
def test_each_token_separately(asked, name, part, layer):
    model, sources, targets, statistics = asked(name)
    method = Sigma(layer=layer, part=part, per_token=True, statistics=statistics, **QUICK)
    found = method(model, sources[1:], targets[1:])
    assert_same(method(model, sources[1:], targets[1:], batch_size=12), found)
    for source, target, each in zip(sources[1:], targets[1:], found, strict=True):
        matrix, prefix = figures(each.matrix), figures(each.prefix_matrix)
        assert matrix.shape == (len(source.words), len(target))
        assert prefix.shape == (len(target), len(target))
        assert not prefix.tril().any()
        assert (prefix[torch.ones_like(prefix).triu(1).bool()] > 0).all()
        assert (matrix > 0).all()
        assert (each.target, each.target_tokens) == (target.text, target.pieces)
        assert each.passes == len(target) * (1 + 2 + 4 * 2 * 3)
        assert "outside_cloud" not in each.details
        assert all(score == 0 for score, special in zip(each.scores, each.special, strict=True) if special)
        for word, row in enumerate(matrix):  # scores: of the position that holds most of a piece
            pieces = [score for score, index in zip(each.scores, each.word_index, strict=True) if index == word]
            assert max(row) <= sum(pieces) * (1 + 1e-9)
            assert len(pieces) > 1 or pieces[0] == pytest.approx(float(row.max()))


@pytest.mark.parametrize("name", TRANSLATORS)
def test_later_tokens_do_not_affect_earlier_ones(asked, name):
    model, sources, _, statistics = asked(name)
    first, second = (model.tokenize_target(text) for text in ("A casa velha.", "A casa é verde e o jardim."))
    same = next(place for place, ids in enumerate(zip(first.ids, second.ids, strict=False)) if len(set(ids)) > 1)
    assert same > 0
    method = Sigma(layer=2, part="decoder", per_token=True, statistics=statistics, **QUICK)
    one, other = (method(model, [sources[2]], [target])[0] for target in (first, second))
    for field in ("matrix", "prefix_matrix"):
        mine, theirs = figures(getattr(one, field)), figures(getattr(other, field))
        rows = slice(None) if field == "matrix" else slice(same)
        assert_close(mine[rows, : same + 1], theirs[rows, : same + 1], rtol=1e-6, atol=1e-9)


def test_convergence_is_reported(asked):
    model, sources, _, statistics = asked("bert-classifier")
    start, long = (
        Sigma(layer=2, statistics=statistics, products=2, steps=steps, pairs=8)(model, sources) for steps in (0, 30)
    )
    assert not any(each.converged for each in start)
    assert all(each.converged and each.details["change"] < 0.1 for each in long)


def test_results_depend_on_the_seed_and_statistics_default_to_the_sample(asked):
    model, sources, _, _ = asked("bert-classifier")
    method = Sigma(layer=1, **QUICK)
    first = method(model, sources[:1])
    assert method(model, sources[:1]) == first
    assert replace(method, seed=1)(model, sources[:1])[0].sigma != first[0].sigma


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": 0}, "pairs must be at least 1"),
        ({"products": 0}, "products and pairs"),
        ({"rate": 0.0}, "a number above 0, not 0"),
        ({"rate": -1.0}, "a number above 0"),
        ({"rate": float("nan")}, "a number above 0"),
        ({"rate": float("inf")}, "a number above 0"),
        ({"scaling": "both"}, "unknown scaling 'both'; known: code, paper"),
        ({"regularization": "none"}, "unknown regularization 'none'; known: corpus, state"),
        ({"part": "head"}, "encoder, decoder, pooled, logits"),
        ({"per_token": True}, "position for each target token"),
        ({"part": "pooled", "per_token": True}, "position for each target token"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(RequestError, match=message):
        Sigma(**settings)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("ssru", {"layer": 0}, "encoder layers 1 to 3, not 0"),
        ("ssru", {"layer": 4}, "encoder layers 1 to 3, not 4"),
        ("ssru", {"layer": 3, "part": "decoder"}, "decoder layers 1 to 2, not 3"),
        ("ssru", {"part": "pooled"}, "is not a classifier"),
        ("ssru", {"part": "decoder"}, "pass targets"),
        ("ssru", {"part": "logits"}, "pass targets"),
        ("bert-classifier", {"part": "decoder"}, "has no decoder"),
        ("bert-classifier", {"part": "logits", "per_token": True}, "not a translation model"),
    ],
)
def test_a_missing_site_is_named(asked, name, settings, message):
    model, sources, _, statistics = asked(name)
    with pytest.raises(RequestError, match=message):
        Sigma(statistics=statistics, **settings)(model, sources)


def test_a_bare_encoder_has_neither_pooled_state_nor_logits(tiny_encoder):
    model = tiny_encoder("bert")
    sources = [model.tokenize_source("The house is old.")]
    for part in ("pooled", "logits"):
        with pytest.raises(RequestError, match="is not a classifier"):
            Sigma(part=part)(model, sources)
    assert Sigma(layer=3, **QUICK)(model, sources)[0].sigma[1] > 0


def test_statistics_of_another_model_or_without_a_part_are_an_error(asked):
    model, sources, targets, statistics = asked("marian")
    other = asked("bert-classifier")[3]
    with pytest.raises(RequestError, match="belong to another model, not to tiny"):
        Sigma(statistics=other)(model, sources)
    without = measure_statistics(model, sources)
    with pytest.raises(RequestError, match=r"lack decoder\.1"):
        Sigma(part="decoder", statistics=without)(model, sources, targets)


def test_it_works_inside_inference_mode(asked):
    model, sources, _, statistics = asked("bert-classifier")
    expected = Sigma(statistics=statistics, **QUICK)(model, sources)
    with torch.inference_mode():
        assert_same(Sigma(statistics=statistics, **QUICK)(model, sources), expected)


def test_the_heading_names_the_place(asked):
    model, sources, targets, statistics = asked("marian")
    found = [
        Sigma(part=part, layer=2, statistics=statistics, **QUICK)(model, sources[:1], targets[:1])[0].heading
        for part in ("encoder", "decoder", "logits")
    ]
    assert found == ["sigma, layer 2, bits", "sigma, decoder layer 2, bits", "sigma, logits, bits"]
