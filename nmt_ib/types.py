"""What the floors hand to each other: words, tokenised sentences and padded batches of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Word:
    """A source word and where it stands.

    Attributes:
        text: The characters `start` to `end` (exclusive) of the sentence as it was given.
        start: First character.
        end: One past the last character.
        pos: Universal part of speech where a spacy pipeline gave one, else "".
        is_stop: Whether the language's list of function words has it.
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
        text: The sentence as it was given.
        ids: Piece ids, special pieces included, as the model reads them.
        pieces: The pieces' surface forms.
        spans: Character span (start, end) of each piece in `text`; (0, 0) for special pieces. Empty for targets.
        words: The words, each with at least one piece; no piece belongs to two of them. Empty for targets.
        word_index: For each piece the index of its word, -1 for special pieces and in targets.
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


@dataclass(frozen=True)
class TokenBatch:
    """Sentences padded on the right to one length.

    Attributes:
        ids: Piece ids.
        mask: True where there is a piece, false on padding.
        word_index: Index of the piece's word in its sentence, -1 for special pieces and padding.
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
            sentences: At least one.
            pad_id: The id that fills up.
            device: Where the tensors go.

        Returns:
            A batch as wide as the longest sentence.
        """
        width = max(len(sentence) for sentence in sentences)

        def grid(rows: Sequence[tuple[int, ...]], fill: int) -> Tensor:
            return torch.tensor([list(row) + [fill] * (width - len(row)) for row in rows], device=device)

        lengths = torch.tensor([[len(sentence)] for sentence in sentences], device=device)
        return cls(
            ids=grid([sentence.ids for sentence in sentences], pad_id),
            mask=torch.arange(width, device=device) < lengths,
            word_index=grid([sentence.word_index for sentence in sentences], -1),
        )


@dataclass(frozen=True)
class Decoded:
    """What the decoder computes when it is forced to write given targets.

    Attributes:
        states: The states that the output layer reads, one for each target piece.
        layers: Output of each decoder layer, where asked for.
        cross_attentions: Attention of each layer's heads over the source, where asked for.
    """

    states: Float[Tensor, "B T D"]
    layers: tuple[Float[Tensor, "B T D"], ...] = ()
    cross_attentions: tuple[Float[Tensor, "B H T S"], ...] = ()
