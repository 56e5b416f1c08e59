"""What the floors hand to each other: words, tokenised sentences, padded batches of them, dependency trees."""

from abc import ABC, abstractmethod
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


Target = Sentence | int  # what a model answers: a tokenised translation, or the number of a label


@dataclass(frozen=True)
class Tree:
    """One sentence with its basic dependency tree.

    Attributes:
        text: The sentence as it was written.
        forms: The syntactic words.
        spans: Character span of each word in `text`; the words of a multi-word token share its span.
        upos: Universal part of speech of each word.
        heads: Head of each word, counted from 0; -1 for the root. Empty where nobody has parsed the sentence yet.
        relations: Relation of each word to its head, with its subtype. Empty where `heads` is.
        lines: The sentence in its treebank's own form, with all that the other attributes leave out.
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
        """The word and all that hangs from it, in order."""
        found = {word}
        grown = True
        while grown:
            more = {index for index, head in enumerate(self.heads) if head in found} - found
            found |= more
            grown = bool(more)
        return sorted(found)


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
    """What the decoder computes when it is forced to write given targets.

    Attributes:
        states: The states that the output layer reads, one for each target piece.
        layers: Output of each decoder layer, where asked for.
        cross_attentions: Attention of each layer's heads over the source, where asked for.
    """

    states: Float[Tensor, "B T D"]
    layers: tuple[Float[Tensor, "B T D"], ...] = ()
    cross_attentions: tuple[Float[Tensor, "B H T S"], ...] = ()


@dataclass(frozen=True)
class MixingBlock(ABC):
    r"""What a block that moves vectors between positions did, as a linear map: its weights, gates and norm stand still.

    .. math:: y_i = \sum_j T_i(x_j) + r_i + b_i

    Attributes:
        output: :math:`y`, the block's true output, behind its norm where that stands behind the sum with the residual.
        residual: :math:`r`, what went past the mixing, as it arrives in the output.
        bias: :math:`b`, what depends on no input.
        crosses: Whether the vectors come from another stack; if not, :math:`r_i` is made of :math:`x_i`.
    """

    output: Float[Tensor, "B T D"]
    residual: Float[Tensor, "B T D"]
    bias: Float[Tensor, "B T D"]
    crosses: bool

    @property
    @abstractmethod
    def reads(self) -> int:
        """Number of positions that are read."""

    @abstractmethod
    def moved(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """What each position read was worth to the positions `rows` of the output: :math:`T_i(x_j)`."""


@dataclass(frozen=True)
class AttentionBlock(MixingBlock):
    r"""An attention block: :math:`T_i(x_j) = s_i \sum_h A^h_{ij} v^h_j W^h`.

    Attributes:
        weights: :math:`A`.
        values: :math:`v`, without biases.
        projection: :math:`W`, from a head to the output, behind it the norm without its division.
        scale: :math:`s`, one over the deviation by which the norm behind the block divides; 1 if there is none.
    """

    weights: Float[Tensor, "B H T S"]
    values: Float[Tensor, "B H S E"]
    projection: Float[Tensor, "H E D"]
    scale: Float[Tensor, "B T"]

    @property
    def reads(self) -> int:
        """Number of positions that are read."""
        return self.weights.shape[3]

    def moved(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """The transformed vectors.

        Args:
            rows: Positions of the output.

        Returns:
            :math:`T_i(x_j)`; exactly 0 for padding.
        """
        brought = torch.einsum("bhse,hed->bshd", self.values, self.projection)
        weights = self.weights[:, :, rows] * self.scale[:, None, rows, None]
        return (weights.permute(0, 3, 2, 1) @ brought).transpose(1, 2)


@dataclass(frozen=True)
class RecurrentBlock(MixingBlock):
    r"""An SSRU block: :math:`T_i(x_j) = s_i w \odot C(m_i \odot f_{j+1} \odot ... \odot f_i \odot u_j)`.

    Attributes:
        log_gates: Sum of :math:`\log f` up to each position, in float64: differences of large sums must stay exact.
        updates: :math:`u`, what each position adds to the cell.
        passed: :math:`m`, where the cell is positive.
        norm_weight: :math:`w`; :math:`C` takes the mean off.
        scale: :math:`s`, one over the deviation by which the norm divides.
    """

    log_gates: Float[Tensor, "B T D"]
    updates: Float[Tensor, "B T D"]
    passed: Bool[Tensor, "B T D"]
    norm_weight: Float[Tensor, " D"]
    scale: Float[Tensor, "B T"]

    @property
    def reads(self) -> int:
        """Number of positions that are read."""
        return self.updates.shape[1]

    def moved(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """The transformed vectors.

        Args:
            rows: Positions of the output.

        Returns:
            :math:`T_i(x_j)`; exactly 0 for :math:`j > i`.
        """
        steps = torch.arange(self.updates.shape[1], device=self.updates.device)
        later = (steps > steps[rows, None])[None, ..., None]
        log_gates = (self.log_gates[:, rows, None] - self.log_gates[:, None]).masked_fill(later, -torch.inf)
        cells = log_gates.exp().to(self.updates) * self.updates[:, None] * self.passed[:, rows, None]
        return (cells - cells.mean(3, keepdim=True)) * self.norm_weight * self.scale[:, rows, None, None]
