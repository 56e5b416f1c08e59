"""Given words in windows of pieces, against the definition tried piece by piece."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt_ib.models.subwords import Piece
from nmt_ib.models.windows import pieces_of_words, windows, word_spans

UNKNOWN = 999
BEFORE, AFTER = (101, 102), (103,)


def test_words_are_joined_by_single_blanks():
    words = ["A", "10 000", "é"]
    assert [" ".join(words)[start:end] for start, end in word_spans(words)] == words


@pytest.mark.parametrize(
    ("pieces", "ids", "ranges"),
    [
        ([(0, 2), (2, 3), (4, 6), (7, 8)], [0, 1, 2, 3], [(0, 2), (2, 3), (3, 4)]),
        ([(0, 3), (3, 3), (4, 6), (6, 6), (7, 8)], [0, 1, 2, 3, 4], [(0, 1), (2, 3), (4, 5)]),  # lone marks
        ([(0, 2), (2, 5), (5, 6), (7, 8)], [0, 1, 2, 3], [(0, 2), (1, 3), (3, 4)]),  # a piece of two words
        ([(0, 8)], [0], [(0, 1), (0, 1), (0, 1)]),  # all in one
        ([(0, 3), (7, 8)], [0, UNKNOWN, 1], [(0, 1), (1, 2), (2, 3)]),  # nothing is left of the second
        ([(4, 6)], [UNKNOWN, 0, UNKNOWN], [(0, 1), (1, 2), (2, 3)]),
        ([], [UNKNOWN] * 3, [(0, 1), (1, 2), (2, 3)]),
        ([(0, 1), (0, 1), (0, 3), (4, 6), (7, 8)], [0, 1, 2, 3, 4], [(0, 3), (3, 4), (4, 5)]),  # bytes of a character
    ],
)
def test_pieces_of_words(pieces, ids, ranges):
    words = word_spans(["abc", "de", "f"])
    found = pieces_of_words([Piece(number, *span) for number, span in enumerate(pieces)], words, UNKNOWN)
    assert found == (ids, ranges)


@st.composite
def sentences(draw):
    """Ranges of words over pieces: marks between them, or a piece shared with the word before."""
    ranges, place = [], 0
    for _ in range(draw(st.integers(1, 12))):
        gap = draw(st.sampled_from([0, 0, 0, 1, 2, -1]))
        first = max(place + gap, 0)
        place = first + draw(st.integers(1, 4))
        ranges.append((first, place))
    return list(range(place + draw(st.integers(0, 2)))), ranges


@given(sentences(), st.integers(1, 12))
def test_windows_hold_each_word_once_whole_and_in_order(sentence, room):
    ids, ranges = sentence
    longest = room + len(BEFORE) + len(AFTER)
    found = list(windows(ids, ranges, (BEFORE, AFTER), longest))
    read = []
    for window in found:
        assert len(window.ids) <= longest
        assert window.ids[:2] == BEFORE
        assert window.ids[-1:] == AFTER
        own = window.ids[2:-1]
        assert list(own) == ids[own[0] : own[-1] + 1]
        read += [list(window.ids[first:last]) for first, last in window.words]
    assert read == [ids[first : min(last, first + room)] for first, last in ranges]
    if len(ids) <= room:
        assert [window.ids for window in found] == [(*BEFORE, *ids, *AFTER)]


@given(sentences(), st.integers(4, 12))
def test_no_window_could_hold_the_next_word_too(sentence, room):
    ids, ranges = sentence
    head = 0
    for window in windows(ids, ranges, (BEFORE, AFTER), room + 3):
        tail = head + len(window.words)
        if tail < len(ranges):
            assert ranges[tail][1] - window.ids[2] > room  # ids are places
        head = tail
    assert head == len(ranges)


def test_no_words_no_windows():
    assert list(windows([], [], (BEFORE, AFTER), 10)) == []
