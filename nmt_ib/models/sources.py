"""Tokenisation of source sentences: special pieces, pieces, and the word of each piece."""

from collections.abc import Sequence

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from nmt_ib.models.subwords import assign_words, read_pieces
from nmt_ib.models.words import WordSplitter
from nmt_ib.types import Sentence, TokenBatch


def special_pieces(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Ids of the special pieces that a tokenizer adds before and after each sentence."""
    encoding = tokenizer("a", return_special_tokens_mask=True)
    special = encoding["special_tokens_mask"]
    first, last = special.index(0), len(special) - special[::-1].index(0)
    return encoding["input_ids"][:first], encoding["input_ids"][last:]


class SourceReader:
    """Tokenisation and padding, shared by all models of this package.

    Attributes:
        model: The network.
        tokenizer: Its tokenizer.
        pad_id: Id of the padding piece.
        text_prefix: Text put before each sentence; its pieces count as special.
    """

    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    pad_id: int
    text_prefix: str = ""
    _around: tuple[list[int], list[int]]
    _splitter: WordSplitter

    @property
    def words_by(self) -> str:
        """Name and version of the word splitter, for the run's signature."""
        return self._splitter.name

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.model.parameters()).device

    def tokenize_source(self, text: str) -> Sentence:
        """Pieces and words of one sentence; a task prefix and language codes count as special.

        Args:
            text: The sentence; a string in it that looks like a special piece is read as text.

        Returns:
            The sentence, with character spans into `text`.
        """
        offset = len(self.text_prefix)
        pieces = read_pieces(self.tokenizer, self.text_prefix + text)
        lead = sum(piece.start < offset for piece in pieces)
        spans = [(piece.start - offset, piece.end - offset) for piece in pieces[lead:]]
        words, index = assign_words(text, spans, self._splitter.split(text))
        before = [*self._around[0], *(piece.id for piece in pieces[:lead])]
        ids = (*before, *(piece.id for piece in pieces[lead:]), *self._around[1])
        head, tail = len(before), len(self._around[1])
        return Sentence(
            text=text,
            ids=ids,
            pieces=tuple(self.tokenizer.convert_ids_to_tokens(list(ids))),
            word_index=(-1,) * head + (index or (-1,) * len(spans)) + (-1,) * tail,
            spans=((0, 0),) * head + tuple(spans) + ((0, 0),) * tail,
            words=words,
        )

    def pad(self, sentences: Sequence[Sentence]) -> TokenBatch:
        """A padded batch on the model's device.

        Args:
            sentences: At least one.

        Returns:
            The batch.
        """
        return TokenBatch.pad(sentences, self.pad_id, self.device)
