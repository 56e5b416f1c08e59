"""Which lines a model can read, and the reasons given for the others."""

from dataclasses import replace

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.readability import (
    MAX_PIECE_CHARACTERS,
    is_unicode,
    read_pairs,
    read_source,
    read_target,
    readable_sentences,
)


@pytest.fixture
def model(tiny_model):
    return tiny_model("bart").model


def too_long(pieces):
    return " ".join(["no"] * (pieces + 1))


def unreadable(model):
    """Line -> reason."""
    limit = model.max_source_pieces
    characters = MAX_PIECE_CHARACTERS * limit + 1
    return {
        "\ud800": "not valid Unicode",
        "": "empty line",
        " \t": "empty line",
        "a" * characters: f"{characters:,} characters; the model reads {limit} pieces",
        too_long(limit): f"pieces; the model reads {limit}",
    }


def test_readable_lines(model):
    sentence, reason = read_source(model, "The old house is red.")
    assert reason is None
    assert sentence == model.tokenize_source("The old house is red.")


def test_every_reason(model):
    for line, expected in unreadable(model).items():
        sentence, reason = read_source(model, line)
        assert sentence.text == line
        assert expected in reason


def test_a_line_without_words(model, monkeypatch):
    tokenize = model.tokenize_source
    monkeypatch.setattr(model, "tokenize_source", lambda text: replace(tokenize(text), words=()))
    assert read_source(model, "The house.")[1] == "no words"


def test_translations(model):
    assert read_target(model, "") == (model.tokenize_target(""), None)
    assert read_target(model, "\ud800")[1] == "translation is not valid Unicode"
    reason = read_target(model, too_long(model.max_target_pieces))[1]
    assert reason.startswith("translation of")
    assert reason.endswith(f"pieces; the model reads {model.max_target_pieces}")


def test_many_lines_at_once(model):
    bad = unreadable(model)
    lines = ["The house is red.", *bad, "A dog sleeps."]
    pairs = read_pairs(model, lines)
    assert pairs.indices == [0, len(lines) - 1]
    assert pairs.sources == readable_sentences(model, lines) == [model.tokenize_source(lines[i]) for i in pairs.indices]
    assert pairs.targets is None
    assert list(pairs.skipped) == list(range(1, len(lines) - 1))
    assert [pairs.skipped[index] for index in pairs.skipped] == [read_source(model, line)[1] for line in bad]


def test_a_pair_is_skipped_for_either_side(model):
    sources, targets = ["no", "", "A dog sleeps.", "The house."], ["Um", "Um", "\ud800", ""]
    pairs = read_pairs(model, sources, targets)
    assert pairs.indices == [0, 3]
    assert [source.text for source in pairs.sources] == ["no", "The house."]
    assert [target.text for target in pairs.targets] == ["Um", ""]
    assert pairs.skipped == {1: "empty line", 2: "translation is not valid Unicode"}


def test_wrong_requests(model, tiny_encoder):
    with pytest.raises(RequestError, match="one target per source: 2 sources, 1 targets"):
        read_pairs(model, ["a", "b"], ["c"])
    with pytest.raises(RequestError, match="reads no targets"):
        read_pairs(tiny_encoder("bert"), ["a"], ["b"])


def test_a_lone_surrogate_is_not_unicode():
    assert is_unicode("ação")
    assert not is_unicode("a\udc80")
