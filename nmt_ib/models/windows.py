"""Words that are given, as a model reads them: in windows of pieces, and where in them each word stands."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt_ib.models.subwords import Piece

Range = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """What a model reads at once of a sentence.

    Attributes:
        ids: Pieces, special ones included.
        words: For each word the range of its pieces in `ids`: at least one; words may share some.
    """

    ids: tuple[int, ...]
    words: tuple[Range, ...]


def word_spans(words: Sequence[str]) -> list[Range]:
    """Character span of each word in the words joined by single blanks."""
    spans, place = [], 0
    for word in words:
        spans.append((place, place + len(word)))
        place += len(word) + 1
    return spans


def pieces_of_words(pieces: Sequence[Piece], words: Sequence[Range], unknown_id: int) -> tuple[list[int], list[Range]]:
    """All pieces that have a character of a word are its pieces, also where they have characters of others.

    Args:
        pieces: Those of the sentence, in order.
        words: Character spans of its words.
        unknown_id: Stands in for a word of which the tokenizer leaves nothing (zero-width characters).

    Returns:
        The ids of the pieces, and for each word the range of its own.
    """
    ids = [piece.id for piece in pieces]
    starts, ends = [piece.start for piece in pieces], [piece.end for piece in pieces]
    ranges, added = [], 0
    for start, end in words:
        first, last = bisect_right(ends, start), bisect_left(starts, end)
        nothing = first >= last
        if nothing:
            ids.insert(first + added, unknown_id)
        ranges.append((first + added, max(last, first + 1) + added))
        added += nothing
    return ids, ranges


def windows(
    ids: Sequence[int], words: Sequence[Range], around: tuple[Sequence[int], Sequence[int]], longest: int
) -> Iterator[Window]:
    """Cuts a sentence between words, into as few windows as hold it; they do not overlap.

    Args:
        ids: Pieces of the sentence, without special ones.
        words: For each word the range of its pieces.
        around: Special pieces before and after each window.
        longest: Pieces of a window, special ones included; a word of more is cut at its end.

    Yields:
        Windows that together have each word once; where two words share a piece at the cut, both windows read it.
    """
    before, after = around
    room = longest - len(before) - len(after)
    head = 0
    while head < len(words):
        left = 0 if head == 0 else min(words[head][0], words[head - 1][1])
        if words[head][1] - left > room:  # marks between words have no room before a long one
            left = words[head][0]
        tail = head + 1
        while tail < len(words) and words[tail][1] - left <= room:
            tail += 1
        right = min(left + room, len(ids) if tail == len(words) else words[tail - 1][1])
        shift = len(before) - left
        yield Window(
            ids=(*before, *ids[left:right], *after),
            words=tuple((first + shift, min(last, right) + shift) for first, last in words[head:tail]),
        )
        head = tail
