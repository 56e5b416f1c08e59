"""Degradation curves against the definition, one sentence at a time, and where their area is known."""

import random
from dataclasses import dataclass

import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.curves import RankedAnswer, removal_levels
from nmt_ib.faithfulness.degradation import OPERATORS, Degradation, word_embedding_moments
from nmt_ib.types import Sentence, TokenBatch, Word
from tests.oracles.degradation import curves

SOURCES = (
    "The old house is red.", "no", "A dog sleeps near the old red door, she said, and it was not easy at all.",
)  # fmt: skip
TARGETS = ("A casa velha é vermelha.", "Um", "Um cão dorme perto da porta.")


def translations(model) -> list[RankedAnswer]:
    """Three tokens of each translation, each with a ranking of its own."""
    generator = random.Random(1)
    found = []
    for text, translation in zip(SOURCES, TARGETS, strict=True):
        source, target = model.tokenize_source(text), model.tokenize_target(translation)
        for token in {0, len(target) // 2, len(target) - 1}:
            found.append(RankedAnswer(source, target, tuple(generator.random() for _ in source.words), token))
    return found


def classifications(model) -> list[RankedAnswer]:
    generator = random.Random(2)
    sources = [model.tokenize_source(text) for text in SOURCES]
    return [
        RankedAnswer(source, label, tuple(generator.random() for _ in source.words))
        for source in sources
        for label in (0, 2)
    ]


@pytest.fixture(params=["ssru", "bart", "t5", "bert-classifier", "roberta-classifier"])
def asked(request, tiny_model, tiny_encoder):
    """A model and answers of it."""
    if "classifier" in request.param:
        model = tiny_encoder(request.param)
        return model, classifications(model)
    model = tiny_model(request.param).model
    return model, translations(model)


@pytest.mark.parametrize("operator", OPERATORS)
@torch.no_grad()
def test_equals_the_definition(asked, operator):
    model, answers = asked
    cloud = word_embedding_moments(model, sorted({answer.source for answer in answers}, key=lambda source: source.text))
    found = Degradation(operator, seed=3)(model, answers, batch_size=7)
    for curve, answer in zip(found, answers, strict=True):
        morf, lerf = curves(model, answer, operator, 3, cloud)
        assert curve.removed == removal_levels(len(answer.source.words))
        assert curve.morf == pytest.approx(morf, abs=1e-9)
        assert curve.lerf == pytest.approx(lerf, abs=1e-9)


@pytest.mark.parametrize("operator", OPERATORS)
def test_results_do_not_depend_on_batch_size_and_order(asked, operator):
    model, answers = asked
    expected = Degradation(operator)(model, answers, batch_size=64)
    for curve, other in zip(Degradation(operator)(model, answers[::-1], batch_size=1)[::-1], expected, strict=True):
        assert curve.morf == pytest.approx(other.morf, abs=1e-9)
        assert curve.lerf == pytest.approx(other.lerf, abs=1e-9)


def test_both_curves_share_their_ends_and_the_area_is_comprehensiveness_minus_sufficiency(asked):
    model, answers = asked
    for curve in Degradation()(model, answers):
        assert (curve.morf[0], curve.morf[-1]) == pytest.approx((curve.lerf[0], curve.lerf[-1]))
        assert curve.area == pytest.approx(curve.aopc_comprehensiveness - curve.aopc_sufficiency)
        assert curve.comprehensiveness[-1] == pytest.approx(curve.range)
        assert (curve.sufficiency[0], curve.sufficiency[-1]) == pytest.approx((curve.range, 0))


@dataclass
class OneWord:
    """A classifier that reads one word: sure of label 1 while piece 7 is there, at odds when it is not.

    It has neither special pieces nor a mask piece: with all words deleted nothing is left.
    """

    name: str = "one word"
    encoder_layers: int = 1
    max_source_pieces: int = 99
    pad_id: int = 0
    unknown_id: int = 1
    labels: tuple[str, ...] = ("no", "yes")
    fingerprint: str = ""
    words_by: str = ""
    longest: int = 0

    def tokenize_source(self, text):
        words = tuple(Word(piece, 0, 1) for piece in text.split())
        ids = tuple(int(piece) for piece in text.split())
        return Sentence(text, ids, tuple(text.split()), tuple(range(len(ids))), words=words)

    def pad(self, sentences):
        return TokenBatch.pad(sentences, self.pad_id)

    def embed(self, ids):
        return ids[..., None].double()

    def encode(self, states, mask, from_layer=0, to_layer=None):
        return states

    def encoder_states(self, embeddings, mask):
        return (embeddings,)

    def classify(self, states, mask, from_layer=0):
        self.longest = max(self.longest, mask.sum(1).max().item())
        there = ((states[..., 0] == 7) & mask).any(1).double()
        return torch.stack([torch.zeros_like(there), there * 2], dim=1)

    def pooled(self, states, mask, from_layer=0):
        return states[:, 0]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("words", [4, 10, 15, 40])
def test_a_model_that_reads_one_word(operator, words):
    model = OneWord()
    source = model.tokenize_source(" ".join(["7", *map(str, range(11, 10 + words))]))
    best = tuple(float(words - place) for place in range(words))
    right, wrong = Degradation(operator)(model, [RankedAnswer(source, 1, best), RankedAnswer(source, 1, best[::-1])])
    levels, sure, odds = len(right.removed), 1 / (1 + 2.718281828459045**-2), 0.5
    assert right.morf == pytest.approx([sure] + [odds] * (levels - 1))
    assert right.lerf == pytest.approx([sure] * (levels - 1) + [odds])
    assert right.range == pytest.approx(sure - odds)
    assert right.area == pytest.approx((sure - odds) * (levels - 2) / levels)
    assert wrong.area == pytest.approx(-right.area)
    assert right.aopc_sufficiency == pytest.approx((sure - odds) / levels)
    assert right.aopc_comprehensiveness == pytest.approx((sure - odds) * (levels - 1) / levels)


def test_equal_copies_run_once(monkeypatch):
    model = OneWord()
    source = model.tokenize_source("7 11 12")
    answers = [RankedAnswer(source, 1, (3.0, 2.0, 1.0))] * 5
    seen = []
    monkeypatch.setattr(model, "embed", lambda ids: seen.append(len(ids)) or ids[..., None].double())
    Degradation()(model, answers)
    assert sum(seen) == 6  # none and all, shared by MoRF and LeRF, and two levels of each


def test_delete_shortens_sentences_and_mask_does_not():
    model = OneWord()
    source = model.tokenize_source("7 11 12")
    Degradation("delete")(model, [RankedAnswer(source, 1, (1.0, 2.0, 3.0))])
    assert model.longest == 3
    assert Degradation("delete")._without(model, _copy(source, {1})).ids == (7, 12)
    assert Degradation("mask")._without(model, _copy(source, {1})).ids == (7, 1, 12)
    assert Degradation("delete")._without(model, _copy(source, {0, 1, 2})).ids == (1,)


def _copy(source, removed):
    from nmt_ib.faithfulness.degradation import _Copy

    return _Copy(source, 1, frozenset(removed))


def test_wrong_requests(tiny_encoder):
    with pytest.raises(RequestError, match="unknown operator 'burn'; known: mask, delete, noise"):
        Degradation("burn")
    bare = tiny_encoder("bert")
    source = bare.tokenize_source("The house is red.")
    with pytest.raises(RequestError, match="gives no probabilities"):
        Degradation()(bare, [RankedAnswer(source, 0, (1.0,) * len(source.words))])


def test_nothing_to_do(tiny_encoder):
    assert Degradation()(tiny_encoder("bert-classifier"), []) == []
