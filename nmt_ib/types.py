"""Data that all packages share: words, tokenised sentences, padded batches, dependency trees, blocks of a network."""

from abc import ABC, abstractmethod
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


@dataclass(frozen=True)
class MixingBlock(ABC):
    r"""A block that mixes positions, linearised: attention weights, gates and norms are held constant.

    .. math:: y_i = \sum_j T_i(x_j) + r_i + b_i

    Attributes:
        output: :math:`y`, the block's output; after its norm if the norm follows the residual connection (post-norm).
        residual: :math:`r`, the contribution of the residual connection to the output.
        bias: :math:`b`, the part that depends on no input.
        is_cross: Whether the inputs are states of another stack; if not, :math:`r_i` is a function of :math:`x_i`.
    """

    output: Float[Tensor, "B T D"]
    residual: Float[Tensor, "B T D"]
    bias: Float[Tensor, "B T D"]
    is_cross: bool

    @property
    @abstractmethod
    def input_length(self) -> int:
        """Number of input positions."""

    @abstractmethod
    def transformed_vectors(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """Contribution :math:`T_i(x_j)` of each input position j to the output positions i in `rows`."""


@dataclass(frozen=True)
class AttentionBlock(MixingBlock):
    r"""An attention block: :math:`T_i(x_j) = s_i \sum_h A^h_{ij} v^h_j W^h`.

    Attributes:
        weights: :math:`A`.
        values: :math:`v`, without biases.
        projection: :math:`W`, from a head to the output, including the norm's centring and weights.
        scale: :math:`s`, reciprocal of the standard deviation by which a post-norm divides; 1 without post-norm.
    """

    weights: Float[Tensor, "B H T S"]
    values: Float[Tensor, "B H S E"]
    projection: Float[Tensor, "H E D"]
    scale: Float[Tensor, "B T"]

    @property
    def input_length(self) -> int:
        """Number of input positions."""
        return self.weights.shape[3]

    def transformed_vectors(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """The transformed vectors.

        Args:
            rows: Positions of the output.

        Returns:
            :math:`T_i(x_j)`; exactly 0 for padding.
        """
        projected = torch.einsum("bhse,hed->bshd", self.values, self.projection)
        weights = self.weights[:, :, rows] * self.scale[:, None, rows, None]
        return (weights.permute(0, 3, 2, 1) @ projected).transpose(1, 2)


@dataclass(frozen=True)
class RecurrentBlock(MixingBlock):
    r"""An SSRU block: :math:`T_i(x_j) = s_i w \odot C(m_i \odot f_{j+1} \odot ... \odot f_i \odot u_j)`.

    Attributes:
        log_gates: Cumulative sum of :math:`\log f` over positions, in float64: differences of large sums are taken.
        updates: :math:`u`, what each position adds to the cell.
        relu_mask: :math:`m`, true where the cell is positive.
        norm_weight: :math:`w`; :math:`C` subtracts the mean over dimensions.
        scale: :math:`s`, reciprocal of the standard deviation by which the norm divides.
    """

    log_gates: Float[Tensor, "B T D"]
    updates: Float[Tensor, "B T D"]
    relu_mask: Bool[Tensor, "B T D"]
    norm_weight: Float[Tensor, " D"]
    scale: Float[Tensor, "B T"]

    @property
    def input_length(self) -> int:
        """Number of input positions."""
        return self.updates.shape[1]

    def transformed_vectors(self, rows: slice) -> Float[Tensor, "B R S D"]:
        """The transformed vectors.

        Args:
            rows: Positions of the output.

        Returns:
            :math:`T_i(x_j)`; exactly 0 for :math:`j > i`.
        """
        steps = torch.arange(self.updates.shape[1], device=self.updates.device)
        later = (steps > steps[rows, None])[None, ..., None]
        log_gates = (self.log_gates[:, rows, None] - self.log_gates[:, None]).masked_fill(later, -torch.inf)
        cells = log_gates.exp().to(self.updates) * self.updates[:, None] * self.relu_mask[:, rows, None]
        return (cells - cells.mean(3, keepdim=True)) * self.norm_weight * self.scale[:, rows, None, None]
