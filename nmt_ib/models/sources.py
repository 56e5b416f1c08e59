"""One source sentence as a model reads it: special pieces, pieces, and the words that they make."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from nmt_ib.models.subwords import assign_words, read_pieces
from nmt_ib.models.words import WordSplitter
from nmt_ib.types import Sentence


def special_pieces(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Ids that a tokenizer puts before and after each sentence."""
    encoding = tokenizer("a", return_special_tokens_mask=True)
    special = encoding["special_tokens_mask"]
    first, last = special.index(0), len(special) - special[::-1].index(0)
    return encoding["input_ids"][:first], encoding["input_ids"][last:]


def read_source(
    tokenizer: PreTrainedTokenizerBase,
    splitter: WordSplitter,
    text: str,
    *,
    around: tuple[Sequence[int], Sequence[int]],
    prefix: str = "",
) -> Sentence:
    """Pieces and words of one source sentence.

    Args:
        tokenizer: The model's.
        splitter: Tells words apart.
        text: The sentence; what looks like a special piece in it is read as text.
        around: Special pieces before and after it.
        prefix: Text that stands before it and counts as special.

    Returns:
        The sentence, with character spans into `text`.
    """
    offset = len(prefix)
    pieces = read_pieces(tokenizer, prefix + text)
    lead = sum(piece.start < offset for piece in pieces)
    spans = [(piece.start - offset, piece.end - offset) for piece in pieces[lead:]]
    words, index = assign_words(text, spans, splitter.split(text))
    before = [*around[0], *(piece.id for piece in pieces[:lead])]
    ids = (*before, *(piece.id for piece in pieces[lead:]), *around[1])
    head, tail = len(before), len(around[1])
    return Sentence(
        text=text,
        ids=ids,
        pieces=tuple(tokenizer.convert_ids_to_tokens(list(ids))),
        word_index=(-1,) * head + (index or (-1,) * len(spans)) + (-1,) * tail,
        spans=((0, 0),) * head + tuple(spans) + ((0, 0),) * tail,
        words=words,
    )
