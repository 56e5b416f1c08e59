"""A biaffine dependency parser over given word vectors (Dozat and Manning 2017)."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class ParserSettings:
    """The size of a parser; the defaults are Li and Eisner's.

    Attributes:
        hidden: LSTM units in each direction.
        layers: Number of LSTM layers; 0: the word vectors are scored directly.
        arc: Units of the two networks that score heads.
        label: Units of the two networks that score relations.
        dropout: Dropout rate of inputs, states and units in training; one mask for all words of a sentence.
    """

    hidden: int = 125
    layers: int = 1
    arc: int = 50
    label: int = 100
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if min(self.hidden, self.arc, self.label) < 1 or self.layers < 0:
            raise RequestError("a parser's hidden, arc and label sizes must be at least 1, its layers at least 0")
        if not 0 <= self.dropout < 1:
            raise RequestError(f"dropout must be at least 0 and below 1, not {self.dropout}")


@dataclass(frozen=True)
class ParserScores:
    """The scores of a padded batch of sentences.

    Attributes:
        arcs: Unnormalised log-probability of each head of each word: column 0 the root, column h + 1 word h; -inf on
            padding and on the diagonal (a word as its own head).
        dependents: Representations of the words as dependents, for relations.
        heads: Representations of root and words as heads, for relations.
    """

    arcs: Float[Tensor, "B W W1"]
    dependents: Float[Tensor, "B W U"]
    heads: Float[Tensor, "B W1 U"]


class BiaffineParser(nn.Module):
    r"""Scores of heads and relations: :math:`s(d, h) = d^\top U h + u^\top h`, relations with both biases.

    Args:
        width: Dimensions D of a word vector.
        relations: Number K of relations.
        settings: The size of the parser.

    References:
        Dozat and Manning (2017), "Deep Biaffine Attention for Neural Dependency Parsing", equations 4 to 9.
        Differs from the paper: the root is a learned vector beside the LSTM's states, as in Li and Eisner (2019).
    """

    def __init__(self, width: int, relations: int, settings: ParserSettings = ParserSettings()) -> None:  # noqa: B008
        super().__init__()
        self.dropout = settings.dropout
        sizes = [width, *[2 * settings.hidden] * settings.layers]
        self.lstm = nn.ModuleList(
            nn.LSTM(size, settings.hidden, batch_first=True, bidirectional=True) for size in sizes[:-1]
        )
        self.root = nn.Parameter(torch.randn(sizes[-1]) / sizes[-1] ** 0.5)
        self.arc_dependent, self.arc_head = (nn.Linear(sizes[-1], settings.arc) for _ in range(2))
        self.label_dependent, self.label_head = (nn.Linear(sizes[-1], settings.label) for _ in range(2))
        self.arc = nn.Parameter(torch.zeros(settings.arc + 1, settings.arc))
        self.relation = nn.Parameter(torch.zeros(relations, settings.label + 1, settings.label + 1))
        nn.init.xavier_uniform_(self.arc)
        nn.init.normal_(self.relation, std=settings.label**-1.0)

    def forward(
        self, vectors: Float[Tensor, "B W D"], mask: Bool[Tensor, "B W"], generator: torch.Generator | None = None
    ) -> ParserScores:
        """Scores of heads, and the representations from which relations are scored.

        Args:
            vectors: Word vectors of each sentence, padded on the right.
            mask: True where there is a word.
            generator: Source of the dropout masks; None: no dropout.

        Returns:
            The scores.
        """
        states = self._states(vectors, mask, generator)
        units = [
            self._drop(nn.functional.elu(layer(states)), generator)
            for layer in (self.arc_dependent, self.arc_head, self.label_dependent, self.label_head)
        ]
        arcs = append_one(units[0][:, 1:]) @ self.arc @ units[1].transpose(1, 2)
        possible = nn.functional.pad(mask, (1, 0), value=True)[:, None].expand_as(arcs)
        itself = torch.eye(arcs.shape[1], arcs.shape[1] + 1, dtype=torch.bool, device=arcs.device).roll(1, dims=1)
        return ParserScores(arcs.masked_fill(~possible | itself, -torch.inf), units[2][:, 1:], units[3])

    def relation_scores(self, scores: ParserScores, heads: Int[Tensor, "B W"]) -> Float[Tensor, "B W K"]:
        """Scores of each relation of each word to its head.

        Args:
            scores: The output of `forward`.
            heads: Head of each word, -1 the root.

        Returns:
            Unnormalised log-probabilities.
        """
        chosen = scores.heads.gather(1, (heads + 1)[..., None].expand(-1, -1, scores.heads.shape[2]))
        folded = torch.einsum("bwi,kij->bwkj", append_one(scores.dependents), self.relation)
        return (folded @ append_one(chosen)[..., None])[..., 0]

    def _states(
        self, vectors: Float[Tensor, "B W D"], mask: Bool[Tensor, "B W"], generator: torch.Generator | None
    ) -> Float[Tensor, "B W1 D2"]:
        """The learned root vector, then the states of the words."""
        lengths, states = mask.sum(1).cpu(), self._drop(vectors, generator)
        for layer in self.lstm:
            packed = nn.utils.rnn.pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
            unpacked = nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=mask.shape[1])
            states = self._drop(unpacked[0], generator)
        return torch.cat([self.root.expand(len(states), 1, -1), states], dim=1)

    def _drop(self, states: Float[Tensor, "B W D"], generator: torch.Generator | None) -> Float[Tensor, "B W D"]:
        if generator is None or self.dropout == 0:
            return states
        return states * dropout_mask(states[:, :1], self.dropout, generator)


def dropout_mask(like: Float[Tensor, "*B D"], rate: float, generator: torch.Generator) -> Float[Tensor, "*B D"]:
    """An inverted dropout mask of the shape of `like`: 0 with probability `rate`, else 1 / (1 - rate)."""
    return (torch.rand(like.shape, generator=generator) >= rate).to(like) / (1 - rate)


def append_one(units: Float[Tensor, "*B U"]) -> Float[Tensor, "*B U1"]:
    """Units with a constant 1 appended, which gives a bilinear form its bias."""
    return nn.functional.pad(units, (0, 1), value=1.0)
