"""Pieces and their words, for any text and any tokenizer, and against words joined the slow way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_ib.models.subwords import assign_words, read_pieces
from nmt_ib.types import Word
from tests.oracles.words import check_words, joined

TOKENIZERS = ["marian", "ssru", "bart", "mbart-50", "mbart-25", "m2m100", "nllb", "t5"]
TEXT = "abc def, ghi"
WORDS = [Word("abc", 0, 3), Word("def", 4, 7), Word(",", 7, 8, "PUNCT"), Word("ghi", 9, 12, is_stop=True)]


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=st.text(max_size=30) | st.text("the house.</s> <unk>", max_size=30))
def test_any_text_has_pieces_that_lie_in_it(tiny_model, name, text):
    model = tiny_model(name).model
    check_words(model.tokenize_source(text))
    pieces = read_pieces(model.tokenizer, text)
    assert all(0 <= piece.start <= piece.end <= len(text) for piece in pieces)
    assert [piece.start for piece in pieces] == sorted(piece.start for piece in pieces)
    for piece in pieces:
        surface = text[piece.start : piece.end]
        assert surface == surface.strip()


@pytest.mark.parametrize("name", TOKENIZERS)
def test_all_letters_are_in_pieces(tiny_model, name):
    text = "  The naïve 中文 dog,  12 ½ 😀😀 </s>"
    pieces = read_pieces(tiny_model(name).model.tokenizer, text)
    covered = {place for piece in pieces for place in range(piece.start, piece.end)}
    assert covered == {place for place, character in enumerate(text) if not character.isspace()}


def test_characters_outside_the_first_plane_count_once(tiny_model):
    text = "😀😀 the 😀house"
    for name in TOKENIZERS:
        sentence = tiny_model(name).model.tokenize_source(text)
        assert sentence.words[-1].end == len(text)
        assert "the" in [word.text for word in sentence.words]


def test_pieces_of_two_sides_differ(tiny_model):
    tokenizer = tiny_model("marian").model.tokenizer
    source, target = read_pieces(tokenizer, "verde"), read_pieces(tokenizer, "verde", target=True)
    assert [piece.id for piece in source] != [piece.id for piece in target]
    assert [piece.id for piece in read_pieces(tokenizer, "verde")] == [piece.id for piece in source]


def test_a_piece_goes_to_the_word_of_its_characters():
    words, index = assign_words(TEXT, [(0, 1), (1, 3), (4, 7), (7, 8), (9, 12)], WORDS)
    assert words == tuple(WORDS)
    assert index == (0, 0, 1, 2, 3)


def test_words_that_share_a_piece_become_one_that_is_what_the_longest_was():
    words, index = assign_words(TEXT, [(0, 3), (4, 6), (6, 8), (9, 12)], WORDS)
    assert [word.text for word in words] == ["abc", "def,", "ghi"]
    assert index == (0, 1, 1, 2)
    assert words[1].pos == ""


def test_a_piece_over_several_words_joins_them_all():
    words, index = assign_words(TEXT, [(0, 12)], WORDS)
    assert [(word.start, word.end, word.text) for word in words] == [(0, 12, TEXT)]
    assert index == (0,)


def test_a_piece_without_characters_goes_to_the_next_word_or_the_last():
    assert assign_words(TEXT, [(0, 3), (3, 4), (4, 4), (4, 12), (12, 12)], WORDS)[1] == (0, 1, 1, 1, 1)


def test_a_word_without_a_piece_is_left_out():
    words, index = assign_words(TEXT, [(0, 3), (9, 12)], WORDS)
    assert [word.text for word in words] == ["abc", "ghi"]
    assert index == (0, 1)


def test_no_words():
    assert assign_words("  ", [(1, 2)], []) == ((), ())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=12),
    st.lists(st.integers(1, 4), min_size=1, max_size=12),
    st.lists(st.integers(1, 4), min_size=1, max_size=12),
)
def test_joining_is_what_the_slow_way_does(gaps, lengths, steps):
    spans, place = [], 0
    for gap, length in zip(gaps, lengths, strict=False):
        spans.append((place + gap, place + gap + length))
        place += gap + length
    cuts = [0]
    while cuts[-1] < place:
        cuts.append(min(place, cuts[-1] + steps[len(cuts) % len(steps)]))
    pieces = list(zip(cuts, cuts[1:], strict=False))
    text = "x" * place
    words, index = assign_words(text, pieces, [Word(text[start:end], start, end) for start, end in spans])
    expected = joined(pieces, spans)
    assert [(word.start, word.end) for word in words] == [
        (spans[min(group)][0], spans[max(group)][1]) for group in expected
    ]
    for (start, end), number in zip(pieces, index, strict=True):
        touched = {i for i, (first, last) in enumerate(spans) if first < end and start < last}
        assert touched <= expected[number]
