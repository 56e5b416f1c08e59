"""Pre-segmented sentences as windows of pieces that fit into a model, with the pieces of each word."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt_ib.models.subwords import Piece

Range = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """A part of a sentence that a model reads at once.

    Attributes:
        ids: Pieces, including special ones.
        words: For each word the range of its pieces in `ids`, which is not empty; ranges may overlap.
    """

    ids: tuple[int, ...]
    words: tuple[Range, ...]


def word_spans(words: Sequence[str]) -> list[Range]:
    """Character span of each word in the words joined by single spaces."""
    spans, start = [], 0
    for word in words:
        spans.append((start, start + len(word)))
        start += len(word) + 1
    return spans


def pieces_of_words(pieces: Sequence[Piece], words: Sequence[Range], unknown_id: int) -> tuple[list[int], list[Range]]:
    """The pieces of each word: all that contain one of its characters, even if they contain those of others.

    Args:
        pieces: Pieces of the sentence, in order.
        words: Character spans of its words.
        unknown_id: Piece that represents a word without pieces (zero-width characters).

    Returns:
        The ids of the pieces, and for each word the range of its pieces.
    """
    ids = [piece.id for piece in pieces]
    starts, ends = [piece.start for piece in pieces], [piece.end for piece in pieces]
    ranges, added = [], 0
    for start, end in words:
        first, last = bisect_right(ends, start), bisect_left(starts, end)
        missing = first >= last
        if missing:
            ids.insert(first + added, unknown_id)
        ranges.append((first + added, max(last, first + 1) + added))
        added += missing
    return ids, ranges


def windows(
    ids: Sequence[int], words: Sequence[Range], around: tuple[Sequence[int], Sequence[int]], max_pieces: int
) -> Iterator[Window]:
    """Splits a sentence between words into as few windows as possible, which do not overlap.

    Args:
        ids: Pieces of the sentence, without special ones.
        words: For each word the range of its pieces.
        around: Special pieces before and after each window.
        max_pieces: Maximum length of a window, including special pieces; a longer word is truncated.

    Yields:
        Windows that together contain each word once; if two words share a piece at a split, both windows contain it.
    """
    before, after = around
    room = max_pieces - len(before) - len(after)
    head = 0
    while head < len(words):
        left = 0 if head == 0 else min(words[head][0], words[head - 1][1])
        if words[head][1] - left > room:  # no room for pieces between words before a long word
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
