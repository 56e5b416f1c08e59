"""The biaffine parser against its formulae, word by word; padding and dropout."""

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.errors import RequestError
from nmt_ib.parsing.biaffine import BiaffineParser, ParserSettings, dropout_mask
from tests.oracles import biaffine as slow

WIDTH, RELATIONS = 5, 4
SMALL = {"hidden": 3, "arc": 4, "label": 3}
LENGTHS = (4, 1, 3)
HEADS = ((1, -1, 1, 2), (-1,), (2, 0, -1))


@pytest.fixture(params=[0, 1, 2])
def parser(request):
    return made(layers=request.param)


def made(**settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parser = BiaffineParser(WIDTH, RELATIONS, ParserSettings(**(SMALL | settings))).double()
        for weight in parser.parameters():  # so that no bias is 0
            torch.nn.init.normal_(weight, std=0.5)
    return parser.requires_grad_(False)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def words():
    vectors = torch.randn(len(LENGTHS), max(LENGTHS), WIDTH, generator=generator(), dtype=torch.float64)
    return vectors, torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]


def heads_of_batch():
    return torch.tensor([[*heads, *[-1] * (max(LENGTHS) - len(heads))] for heads in HEADS])


def test_equals_its_formulae_word_by_word(parser, words):
    vectors, mask = words
    scores = parser(vectors, mask)
    relations = parser.relation_scores(scores, heads_of_batch())
    assert relations.shape == (len(LENGTHS), max(LENGTHS), RELATIONS)
    for row, (length, heads) in enumerate(zip(LENGTHS, HEADS, strict=True)):
        sentence = vectors[row, :length]
        assert_close(scores.arcs[row, :length, : length + 1], slow.arc_scores(parser, sentence))
        assert_close(relations[row, :length], slow.relation_scores(parser, sentence, heads))


def test_padding_changes_nothing(parser, words):
    vectors, mask = words
    scores = parser(vectors, mask)
    noisy = parser(torch.where(mask[..., None], vectors, 1e3), mask)
    relations, with_noise = (parser.relation_scores(each, heads_of_batch()) for each in (scores, noisy))
    assert_close(noisy.arcs[mask], scores.arcs[mask])
    assert_close(with_noise[mask], relations[mask])
    for row, length in enumerate(LENGTHS):
        alone = parser(vectors[row : row + 1, :length], mask[row : row + 1, :length])
        assert_close(alone.arcs[0], scores.arcs[row, :length, : length + 1])


def test_no_word_hangs_from_itself_or_from_padding(parser, words):
    arcs, mask = parser(*words).arcs, words[1]
    for row, length in enumerate(LENGTHS):
        for word in range(max(LENGTHS)):
            for head in range(max(LENGTHS) + 1):
                impossible = head > length or head == word + 1
                assert bool(arcs[row, word, head].isneginf()) == impossible
    assert arcs[mask].log_softmax(-1).exp().isfinite().all()


def test_without_a_generator_nothing_is_random(words):
    parser, state = made(dropout=0.5), torch.get_rng_state()
    assert torch.equal(parser(*words).arcs, parser(*words).arcs)
    assert torch.equal(parser(*words).arcs, made().forward(*words).arcs)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_seed_decides_what_is_dropped(words):
    parser = made(dropout=0.5)
    first, again, other = (parser(*words, generator(seed)).arcs for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(made().forward(*words, generator()).arcs, made().forward(*words).arcs)


def test_the_words_of_a_sentence_lose_the_same_units():
    """Equal words without an LSTM stay equal, and those of another sentence lose others."""
    parser = made(layers=0, label=20, dropout=0.5)
    mask = torch.ones(2, 4, dtype=torch.bool)
    scores = parser(torch.ones(2, 4, WIDTH, dtype=torch.float64), mask, generator(3))
    for units in (scores.dependents, scores.heads[:, 1:]):
        assert_close(units, units[:, :1].expand_as(units))
        assert not torch.equal(units[0], units[1])


def test_dropout_keeps_the_mean():
    mask = dropout_mask(torch.zeros(200_000, 1, dtype=torch.float64), 0.3, generator())
    assert_close(mask.unique(), torch.tensor([0, 1 / 0.7], dtype=torch.float64))
    error = mask.std() / len(mask) ** 0.5
    assert abs(mask.mean() - 1) < 4 * error


def test_every_weight_is_trained(words):
    parser = made(dropout=0.2).requires_grad_(True)
    scores = parser(*words, generator())
    relations = parser.relation_scores(scores, heads_of_batch())
    mask = words[1]
    (scores.arcs[mask].logsumexp(-1).sum() + relations[mask].square().sum()).backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in parser.parameters())


@pytest.mark.parametrize(
    "settings", [{"hidden": 0}, {"arc": 0}, {"label": 0}, {"layers": -1}, {"dropout": 1.0}, {"dropout": -0.1}], ids=str
)
def test_wrong_sizes(settings):
    with pytest.raises(RequestError, match=f"not {settings['dropout']}" if "dropout" in settings else "at least"):
        ParserSettings(**settings)
