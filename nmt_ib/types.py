"""Data that all packages share: words, tokenised sentences, padded batches, dependency trees, decoder states."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Word:
    """A source word and its position.

    Attributes:
        text: The characters `start` to `end` (exclusive) of the sentence as given.
        start: Index of the first character.
        end: Index one past the last character.
        pos: Universal part of speech if a spacy pipeline is installed, else "".
        is_stop: Whether it is in the language's list of function words.
    """

    text: str
    start: int
    end: int
    pos: str = ""
    is_stop: bool = False


@dataclass(frozen=True)
class Sentence:
    """One tokenised sentence.

    Attributes:
        text: The sentence as given.
        ids: Ids of the subword pieces, special pieces included, as the model reads them.
        pieces: Surface forms of the pieces.
        spans: Character span (start, end) of each piece in `text`; (0, 0) for special pieces. Empty for targets.
        words: The words, each with at least one piece; no piece belongs to two words. Empty for targets.
        word_index: Index of each piece's word, -1 for special pieces and in targets.
    """

    text: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    word_index: tuple[int, ...]
    spans: tuple[tuple[int, int], ...] = ()
    words: tuple[Word, ...] = ()

    def __len__(self) -> int:
        """Number of pieces."""
        return len(self.ids)


Target = Sentence | int  # output of a model: a tokenised translation, or the number of a label


@dataclass(frozen=True)
class Tree:
    """A sentence with its basic dependency tree.

    Attributes:
        text: The sentence as written.
        forms: The syntactic words.
        spans: Character span of each word in `text`; the words of a multi-word token share its span.
        upos: Universal part of speech of each word.
        heads: Index of the head of each word, from 0; -1 for the root. Empty if the sentence is not parsed.
        relations: Relation of each word to its head, with its subtype. Empty if `heads` is.
        lines: The sentence's CoNLL-U lines, which hold what the other attributes leave out.
    """

    text: str
    forms: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    upos: tuple[str, ...]
    heads: tuple[int, ...]
    relations: tuple[str, ...]
    lines: tuple[str, ...]

    def __len__(self) -> int:
        """Number of syntactic words."""
        return len(self.forms)

    def descendants(self, word: int) -> list[int]:
        """Indices of the word and of its direct and indirect dependents, ascending."""
        subtree, added = {word}, {word}
        while added:
            added = {index for index, head in enumerate(self.heads) if head in subtree} - subtree
            subtree |= added
        return sorted(subtree)


@dataclass(frozen=True)
class TokenBatch:
    """Sentences padded on the right to equal length.

    Attributes:
        ids: Piece ids.
        mask: True for pieces, false on padding.
        word_index: Index of each piece's word in its sentence, -1 for special pieces and padding.
    """

    ids: Int[Tensor, "B S"]
    mask: Bool[Tensor, "B S"]
    word_index: Int[Tensor, "B S"]

    def rows(self, index: Int[Tensor, " R"]) -> "TokenBatch":
        """The sentences `index`, which may repeat."""
        return TokenBatch(self.ids[index], self.mask[index], self.word_index[index])

    @classmethod
    def pad(cls, sentences: Sequence[Sentence], pad_id: int, device: torch.device | str = "cpu") -> "TokenBatch":
        """Pads `sentences` on the right.

        Args:
            sentences: At least one sentence.
            pad_id: Id of the padding piece.
            device: Device of the tensors.

        Returns:
            A batch as wide as the longest sentence.
        """
        ids, word_index = [sentence.ids for sentence in sentences], [sentence.word_index for sentence in sentences]
        return cls(
            ids=_padded(ids, pad_id).to(device),
            mask=_padded([(1,) * len(row) for row in ids], 0).bool().to(device),
            word_index=_padded(word_index, -1).to(device),
        )


def _padded(rows: Sequence[tuple[int, ...]], fill: int) -> Int[Tensor, "B S"]:
    width = max(len(row) for row in rows)
    return torch.tensor([list(row) + [fill] * (width - len(row)) for row in rows])


@dataclass(frozen=True)
class Decoded:
    """Decoder states when the decoder is forced to produce given targets.

    Attributes:
        states: Input of the output layer, one state for each target piece.
        layers: Output of each decoder layer; empty if not requested.
        cross_attentions: Cross-attention weights of each layer; empty if not requested.
    """

    states: Float[Tensor, "B T D"]
    layers: tuple[Float[Tensor, "B T D"], ...] = ()
    cross_attentions: tuple[Float[Tensor, "B H T S"], ...] = ()
