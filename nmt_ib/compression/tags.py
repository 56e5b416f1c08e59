"""What every compressor takes and gives: a batch of words, and their tags with what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nmt_ib.parsing.biaffine import kept


@dataclass(frozen=True)
class WordBatch:
    """The N words of B sentences, one after the other.

    Attributes:
        vectors: Their frozen vectors, from each of L layers.
        lengths: Words of each sentence.
        types: Context-free vectors of the words; None where no compressor asks for them.
        forms: Hash of each word's form, at least 0.
        upos: Number of each word's universal part of speech; -1: not seen in training, or not known.
        heads: Gold head of each word within its sentence, -1 the root.
        relations: Number of each word's gold relation; -1: not seen in training, or not known.
    """

    vectors: Float[Tensor, "N L D"]
    lengths: Int[Tensor, " B"]
    types: Float[Tensor, "N E"] | None
    forms: Int[Tensor, " N"]
    upos: Int[Tensor, " N"]
    heads: Int[Tensor, " N"]
    relations: Int[Tensor, " N"]

    @property
    def mask(self) -> Bool[Tensor, "B W"]:
        """Where a padded grid of the sentences has a word."""
        return torch.arange(int(self.lengths.max()), device=self.lengths.device) < self.lengths[:, None]


@dataclass(frozen=True)
class Tags:
    r"""What is left of each word.

    Attributes:
        values: n samples of each tag, or one where nothing is random.
        rate_nats: :math:`KL(p(t|x) \Vert r(t))` of each word, whose mean is at least I(X;T); NaN where the tag is a
            continuous function of the word, which has no finite rate.
        context_nats: :math:`KL(p(t|x) \Vert s(t|\hat x))`: what the tag knows of the word beyond its type; 0 where no
            compressor was asked to know.
    """

    values: Float[Tensor, "n N d"]
    rate_nats: Float[Tensor, " N"]
    context_nats: Float[Tensor, " N"]


@runtime_checkable
class Compressor(Protocol):
    """A module that turns words' vectors into tags.

    Attributes:
        width: Dimensions d of a tag's value.
    """

    width: int

    def __call__(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """Tags of the words; without a generator nothing is random: the mean, or the likeliest tag."""
        ...

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Shown training words once, before training."""
        ...

    def anneal_(self, progress: float) -> None:
        """Told before each step of training which share of it is done."""
        ...


class FeedForward(nn.Module):
    """Linear layers with tanh between, and dropout before each in training mode.

    Args:
        sizes: Dimensions of the input, of each hidden layer and of the output.
        dropout: Share of each layer's input that training drops.
    """

    def __init__(self, sizes: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.layers = nn.ModuleList(nn.Linear(*ends) for ends in pairwise(sizes))

    def forward(self, units: Float[Tensor, "N D"], generator: torch.Generator | None) -> Float[Tensor, "N P"]:
        """The output.

        Args:
            units: The input.
            generator: Of dropout; None: nothing is dropped.

        Returns:
            The output.
        """
        for number, layer in enumerate(self.layers):
            units = units if number == 0 else units.tanh()
            if self.training and generator is not None and self.dropout > 0:
                units = units * kept(units, self.dropout, generator)
            units = layer(units)
        return units


def tag_encoder(width: int, tag_width: int, outputs: int, *, deep: bool, dropout: float) -> FeedForward:
    """The network from a word to the parameters of its tag: linear, or with Li and Eisner's two hidden layers.

    Args:
        width: Dimensions of the word's vector.
        tag_width: Dimensions of the tag.
        outputs: How many parameters.
        deep: Whether there are hidden layers.
        dropout: Share of each layer's input that training drops.

    Returns:
        The network.
    """
    if not deep:
        return FeedForward([width, outputs], dropout)
    last = (width + tag_width) // 2
    return FeedForward([width, (width + last) // 2, last, outputs], dropout)
