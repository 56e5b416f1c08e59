"""Training: interruption, seeds, early stopping, and the best epoch's weights."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.compression import training
from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import TagSettings, WordShape, compressor
from nmt_ib.compression.objective import CompressionObjective
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.training import CHECKPOINT, Epoch, ParserTraining, best_epoch, evaluate, finished, train
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.parsing.biaffine import BiaffineParser, ParserSettings
from nmt_ib.parsing.metrics import ParsingScores, score_tree
from tests.tiny_treebank import tiny_corpus

TINY = ParserTraining(epochs=3, batch_size=4, learning_rate=2e-2, samples=2)
OBJECTIVE = CompressionObjective(0.01, warmup=0.5)


@pytest.fixture
def corpora(tmp_path):
    known = tiny_corpus(tmp_path)
    return known, replace(known, trees=known.trees)


def made(corpora, kind="continuous", dropout=0.3):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        labels = corpora[0].labels
        tags = compressor(TagSettings(kind, dim=5, num_tags=6, dropout=dropout), WordShape(6, 0, len(labels.upos)))
        size = ParserSettings(hidden=6, arc=6, label=6, dropout=dropout)
        model = CompressedParser(tags, BiaffineParser(tags.width, len(labels.relations), size)).double()
    shown = corpora[0].batch(range(len(corpora[0].trees)))
    model.compressor.fit_(model.mixed(shown).detach(), shown)
    return model


def same(model, other):
    pairs = zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


class Cut(Exception):
    pass


@pytest.mark.parametrize("kind", ["continuous", "discrete", "pca"])
@pytest.mark.parametrize("after", [1, 2])
def test_an_interrupted_training_resumes_with_equal_results(corpora, tmp_path, kind, after):
    def cut(epoch):
        if epoch.number == after:
            raise Cut

    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole, resumed, numbers = made(corpora, kind), made(corpora, kind), []
    epochs = train(whole, OBJECTIVE, corpora, TINY, tmp_path / "whole")
    with pytest.raises(Cut):
        train(made(corpora, kind), OBJECTIVE, corpora, TINY, tmp_path / "cut", cut)
    again = train(resumed, OBJECTIVE, corpora, TINY, tmp_path / "cut", lambda epoch: numbers.append(epoch.number))
    assert numbers == list(range(after + 1, 4))
    assert str(again) == str(epochs)  # as text: where there is no rate, nan is nan
    assert same(resumed, whole)
    assert (tmp_path / "cut" / CHECKPOINT).read_bytes() == (tmp_path / "whole" / CHECKPOINT).read_bytes()


def test_a_finished_training_trains_no_more(corpora, tmp_path, monkeypatch):
    first, second = made(corpora), made(corpora)
    epochs = train(first, OBJECTIVE, corpora, TINY, tmp_path)
    before = (tmp_path / CHECKPOINT).read_bytes()
    monkeypatch.setattr(training, "train_parser_epoch", None)
    assert train(second, OBJECTIVE, corpora, TINY, tmp_path) == epochs
    assert same(first, second)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_a_seed_decides_and_nothing_global_is_drawn(corpora, tmp_path):
    state, models = torch.get_rng_state(), []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        (tmp_path / name).mkdir()
        models.append(made(corpora))
        train(models[-1], OBJECTIVE, corpora, replace(TINY, seed=seed, epochs=1), tmp_path / name)
    assert torch.equal(torch.get_rng_state(), state)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


def test_it_learns_unless_beta_is_high(corpora, tmp_path):
    """Trained and tested on the same twelve sentences, whose vectors are random: it can only overfit.

    With a high beta, all that is left to learn is how long sentences are.
    """
    found = {}
    for beta in (1e-4, 100.0):
        (tmp_path / f"{beta}").mkdir()
        settings = replace(TINY, epochs=30, patience=30, learning_rate=5e-2, samples=1)
        found[beta] = train(
            made(corpora, dropout=0.0), CompressionObjective(beta), corpora, settings, tmp_path / f"{beta}"
        )
    low, high = found[1e-4], found[100.0]
    assert best_epoch(low).las > 0.65 > 0.45 > best_epoch(high).las
    assert low[-1].loss_nats < 0.5 * low[0].loss_nats
    assert high[-1].bits < 0.01 < 5 < low[-1].bits


def scripted(monkeypatch, scores):
    """Epochs whose LAS is given; each leaves its number in the weights."""

    def epoch(model, objective, corpus, settings, optimizer, epochs_done):
        model.mix.data.fill_(epochs_done + 1)
        return 0.0

    def evaluation(model, corpus):
        right = scores[int(model.mix) - 1]
        return ParsingScores(words=100, correct_heads=right, correct_edges=right), 1.0

    monkeypatch.setattr(training, "train_parser_epoch", epoch)
    monkeypatch.setattr(training, "evaluate", evaluation)


@pytest.mark.parametrize(
    ("scores", "trained", "best"),
    [
        ([10, 20, 15, 20, 19, 30], 5, 2),  # three epochs without a better one; as good is not better
        ([10, 20, 15, 15, 25, 1, 1, 1, 1], 8, 5),
        ([0, 0, 0, 0, 0], 4, 1),
        (list(range(1, 21)), 10, 10),
    ],
    ids=str,
)
def test_it_stops_early_and_keeps_the_best_epoch(corpora, tmp_path, monkeypatch, scores, trained, best):
    scripted(monkeypatch, scores)
    model = made(corpora)
    epochs = train(model, OBJECTIVE, corpora, replace(TINY, epochs=10, patience=3), tmp_path)
    assert [epoch.number for epoch in epochs] == list(range(1, trained + 1))
    assert best_epoch(epochs).number == best == int(model.mix)


def test_a_training_that_has_not_begun_is_not_finished():
    assert not finished([], TINY)
    assert finished([Epoch(number, 0.0, 0.0, 0.0, 0.0) for number in (1, 2, 3)], TINY)


def test_temperature_and_learning_rate_follow_progress(corpora, tmp_path, monkeypatch):
    rates, told, step = [], [], torch.optim.Adam.step
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: (rates.append(self.param_groups[0]["lr"]), step(self)))
    model = made(corpora, "discrete")
    anneal = model.compressor.anneal_
    monkeypatch.setattr(model.compressor, "anneal_", lambda progress: (told.append(progress), anneal(progress)))
    train(model, OBJECTIVE, corpora, replace(TINY, epochs=2, learning_rate=1.0), tmp_path)
    assert told == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])
    assert rates == pytest.approx([1 - progress for progress in told])


def test_a_gradient_is_clipped(corpora, tmp_path, monkeypatch):
    norms, step = [], torch.optim.Adam.step

    def watched(self):
        gradients = [
            weight.grad for group in self.param_groups for weight in group["params"] if weight.grad is not None
        ]
        norms.append(torch.stack([gradient.norm() for gradient in gradients]).norm())
        step(self)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    monkeypatch.setattr("nmt_ib.compression.training.MAX_GRADIENT_NORM", 1e-3)
    train(made(corpora), OBJECTIVE, corpora, replace(TINY, epochs=1), tmp_path)
    assert_close(torch.stack(norms), torch.full((len(norms),), 1e-3, dtype=torch.float64), rtol=1e-3, atol=0.0)


@pytest.mark.parametrize("batch_size", [1, 5, 128])
def test_an_evaluation_is_a_loop_over_sentences(corpora, batch_size):
    model, corpus = made(corpora), corpora[1]
    scores, nats = ParsingScores(), 0.0
    for number, tree in enumerate(corpus.trees):
        if tree:
            parsed = model.parse(corpus.batch([number]))
            names = [corpus.labels.relations[relation] for relation in parsed.relations[0]]
            scores += score_tree(tree, parsed.heads[0].tolist(), names)
            nats += float(parsed.rate_nats.sum())
    found, bits = evaluate(model, corpus, batch_size)
    assert found == scores
    assert bits == pytest.approx(nats * BITS_PER_NAT / scores.words)


def test_an_evaluation_of_relations_that_training_has_not(tmp_path):
    corpus = tiny_corpus(tmp_path, labels=Labels(("root", "nsubj"), ("NOUN",)))
    scores, _ = evaluate(made((corpus, corpus)), corpus)
    assert scores.words == 51
    assert scores.correct_edges <= scores.correct_heads


def test_no_words_have_no_rate(tmp_path):
    corpus = tiny_corpus(tmp_path)
    scores, bits = evaluate(made((corpus, corpus)), tiny_corpus(tmp_path, ("",), labels=corpus.labels))
    assert scores == ParsingScores()
    assert bits != bits


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0}, {"batch_size": 0}, {"samples": 0}, {"patience": 0}, {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_settings(settings):
    with pytest.raises(RequestError, match="at least 1|above 0"):
        ParserTraining(**settings)
