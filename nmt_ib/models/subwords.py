"""Subword pieces with their character offsets, and the word of each piece, for any kind of tokenizer."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from transformers import PreTrainedTokenizerBase

from nmt_ib.types import Word


@dataclass(frozen=True)
class Piece:
    """One piece: its id and its character span in the text, without surrounding white space."""

    id: int
    start: int
    end: int


def read_pieces(tokenizer: PreTrainedTokenizerBase, text: str, *, target: bool = False) -> list[Piece]:
    """The pieces of a text without special ones; a string in it that looks like a special piece is read as text.

    Args:
        tokenizer: A fast tokenizer, or a slow one based on SentencePiece (Marian, M2M100).
        text: One sentence.
        target: Whether the text is in the target language.

    Returns:
        The pieces in order, with character offsets into `text`.
    """
    if tokenizer.is_fast:
        encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, split_special_tokens=True)
        ids, spans = encoding["input_ids"], encoding["offset_mapping"]
    else:
        ids, spans = _read_sentencepiece(tokenizer, text, target)
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    pieces: list[Piece] = []
    for id_, span in zip(ids, spans, strict=True):
        piece = Piece(id_, *_trim(text, *span))
        pieces += _spelled(tokenizer, text, piece) if id_ in special else [piece]
    return pieces


def _spelled(tokenizer: PreTrainedTokenizerBase, text: str, piece: Piece) -> list[Piece]:
    """The characters of a special piece, which fast unigram tokenizers find in text: no entry is marked as special."""
    return [
        Piece(cast(int, tokenizer.convert_tokens_to_ids(text[place])), place, place + 1)
        for place in range(piece.start, piece.end)
    ]


def _read_sentencepiece(
    tokenizer: PreTrainedTokenizerBase, text: str, target: bool
) -> tuple[list[int], list[tuple[int, int]]]:
    if target:
        tokenizer._switch_to_target_mode()  # noqa: SLF001 - the public argument text_target returns no offsets
    try:
        processor = getattr(tokenizer, "current_spm", None) or tokenizer.sp_model
        encoding = processor.encode(text, return_type="offset_mapping")
        # An unknown piece can look like a special one: only pieces known to SentencePiece are looked up.
        unknown = processor.unk_id()
        surfaces = [
            tokenizer.unk_token if id_ == unknown else surface
            for id_, surface in zip(encoding["ids"], encoding["pieces"], strict=True)
        ]
        ids = [tokenizer.convert_tokens_to_ids(surface) for surface in surfaces]
    finally:
        if target:
            tokenizer._switch_to_input_mode()  # noqa: SLF001
    return cast(list[int], ids), encoding["offsets"]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def assign_words(
    text: str, pieces: Sequence[tuple[int, int]], words: Sequence[Word]
) -> tuple[tuple[Word, ...], tuple[int, ...]]:
    """Assigns each piece to one word, joining words that share a piece.

    A piece without characters of any word (a lone word-boundary symbol, a control character) is assigned to the next
    word, or to the last one.

    Args:
        text: The sentence.
        pieces: Character spans of the pieces, in order.
        words: Its words, in order.

    Returns:
        The words with at least one piece, and for each piece the index of its word. Both are empty if there are no
        words.
    """
    if not words:
        return (), ()
    starts, ends = [word.start for word in words], [word.end for word in words]
    touched: list[tuple[int, int]] = []
    for start, end in pieces:
        first = min(bisect.bisect_right(ends, start), len(words) - 1)
        last = max(first, bisect.bisect_left(starts, end) - 1)
        touched.append((first, last))
    leader = list(range(len(words)))
    for first, last in touched:
        for index in range(first, last + 1):
            leader[index] = min(leader[index], leader[first])
    used = sorted({leader[first] for first, _ in touched})
    number = {lead: position for position, lead in enumerate(used)}
    groups = [[word for word, lead in zip(words, leader, strict=True) if lead == wanted] for wanted in used]
    return tuple(_join(text, group) for group in groups), tuple(number[leader[first]] for first, _ in touched)


def _join(text: str, words: Sequence[Word]) -> Word:
    if len(words) == 1:
        return words[0]
    longest = max(words, key=lambda word: word.end - word.start)
    start, end = words[0].start, words[-1].end
    return replace(longest, text=text[start:end], start=start, end=end)
