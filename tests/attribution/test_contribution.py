"""Contributions against the definition, word by word; and what must not change them."""

import pytest
import torch

from nmt_ib.attribution.contribution import OPERATORS, ContributionMethod
from nmt_ib.errors import RequestError
from nmt_ib.seeding import sentence_generator
from tests.oracles.contribution import contribution_matrix

SOURCES = ["The old house is red.", "A dog sleeps near the old red door, she said.", "It was easy."]
TARGETS = ["A casa velha é vermelha.", "Um cão dorme perto da porta.", "Era fácil, não era?"]
ARCHITECTURES = ["ssru", "bart", "t5", "m2m100"]


@pytest.fixture(params=ARCHITECTURES)
def model(request, tiny_model):
    return tiny_model(request.param).model


def tokenized(model):
    return [model.tokenize_source(text) for text in SOURCES], [model.tokenize_target(text) for text in TARGETS]


@pytest.mark.parametrize("operator", OPERATORS)
def test_equals_the_definition(model, operator):
    sources, targets = tokenized(model)
    method = ContributionMethod(operator=operator, shortlist=0, seed=5)
    for source, target, found in zip(sources, targets, method(model, sources, targets, batch_size=7), strict=True):
        width = model.embedding_table().shape[1]
        noise = torch.randn(2, len(source), width, generator=sentence_generator(5, source.text))
        with torch.inference_mode():
            expected = contribution_matrix(model, source, target, operator, noise)
        assert torch.allclose(found.matrix_bits.double(), expected, atol=1e-5)  # sums are kept in float32


def test_a_short_list_as_long_as_the_vocabulary_changes_nothing(model):
    sources, targets = tokenized(model)
    whole = ContributionMethod(shortlist=0)(model, sources, targets)
    short = ContributionMethod(shortlist=10_000)(model, sources, targets)
    for one, other in zip(whole, short, strict=True):
        assert torch.allclose(one.matrix_bits, other.matrix_bits, atol=1e-5)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("batch_size", [1, 64])
def test_neither_batch_size_nor_order_changes_anything(model, operator, batch_size):
    sources, targets = tokenized(model)
    method = ContributionMethod(operator=operator)
    expected = method(model, sources, targets)
    found = method(model, sources[::-1], targets[::-1], batch_size=batch_size)[::-1]
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one.matrix_bits, other.matrix_bits, atol=1e-5)
        assert torch.allclose(one.logprob_bits, other.logprob_bits, atol=1e-5)
        assert torch.allclose(one.encoder_shift, other.encoder_shift, atol=1e-5)


def test_a_target_has_the_probability_that_the_decoder_gives_it(model):
    sources, targets = tokenized(model)
    found = ContributionMethod()(model, sources, targets)
    for source, target, contribution in zip(sources, targets, found, strict=True):
        batch = model.pad([source])
        encoded = model.encode(model.embed(batch.ids), batch.mask)
        ids = torch.tensor([target.ids])
        logits = model.logits(model.decode(encoded, batch.mask, ids).states)[0]
        nats = torch.log_softmax(logits, -1).gather(1, ids[0][:, None]).sum().detach()
        assert float(contribution.logprob_bits.sum()) == pytest.approx(float(nats) / 0.6931471805599453)


def test_an_unknown_word_contributes_nothing(tiny_model):
    model = tiny_model("ssru").model
    source = model.tokenize_source("The 漢字 house")
    word = next(index for index, word in enumerate(source.words) if word.text == "漢字")
    pieces = {source.ids[place] for place, index in enumerate(source.word_index) if index == word}
    found = ContributionMethod()(model, [source], [model.tokenize_target("A casa")])[0]
    if pieces == {model.unknown_id}:
        assert found.matrix_bits[word].abs().max() < 1e-5
        assert found.encoder_shift[word] < 1e-5
    assert found.encoder_shift[0] > 0


def test_noise_follows_the_seed(tiny_model):
    model = tiny_model("bart").model
    sources, targets = tokenized(model)
    first, again, other = (
        ContributionMethod(operator="noise", seed=seed)(model, sources, targets)[0].matrix_bits for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


@pytest.mark.parametrize(
    ("settings", "message"), [({"operator": "x"}, "known: unknown, noise"), ({"draws": 3}, "even")]
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        ContributionMethod(**settings)
