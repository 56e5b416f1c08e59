"""The interface of compressors: a batch of words in, their tags with the rates of these out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nmt_ib.parsing.biaffine import dropout_mask


@dataclass(frozen=True)
class WordBatch:
    """The N words of B sentences, concatenated.

    Attributes:
        vectors: Frozen vectors of the words, from each of L layers.
        lengths: Number of words of each sentence.
        types: Context-free vectors of the words; None where the compressor does not need them.
        forms: Hash of each word's form, at least 0.
        upos: Index of each word's universal part of speech; -1: not seen in training, or not known.
        heads: Gold head of each word within its sentence, -1 the root.
        relations: Index of each word's gold relation; -1: not seen in training, or not known.
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
        """True where a padded grid of the sentences has a word."""
        return torch.arange(int(self.lengths.max()), device=self.lengths.device) < self.lengths[:, None]


@dataclass(frozen=True)
class Tags:
    r"""The compressed representations of the words.

    Attributes:
        values: n samples of each tag; a single one where the tag is deterministic.
        rate_nats: :math:`KL(p(t|x) \Vert r(t))` of each word, >= 0; its mean is an upper bound of I(X;T). NaN where
            the tag is a continuous function of the word, whose rate is not finite.
        context_nats: :math:`KL(p(t|x) \Vert s(t|\hat x))`, >= 0: information of the tag about the word beyond its type;
            0 where the compressor has no type encoder.
    """

    values: Float[Tensor, "n N d"]
    rate_nats: Float[Tensor, " N"]
    context_nats: Float[Tensor, " N"]


@runtime_checkable
class Compressor(Protocol):
    """A module that maps word vectors to tags.

    Attributes:
        width: Dimensions d of a tag's value.
    """

    width: int

    def __call__(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """Tags of the words; deterministic without a generator: the mean, or the most likely tag."""
        ...

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Called once, before training, with words of the training set."""
        ...

    def anneal_(self, progress: float) -> None:
        """Called before each training step with the fraction of training completed, 0 to 1."""
        ...


class FeedForward(nn.Module):
    """Linear layers with tanh in between, and dropout before each of them in training mode.

    Args:
        sizes: Dimensions of the input, of each hidden layer and of the output.
        dropout: Dropout rate of each layer's input.
    """

    def __init__(self, sizes: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.layers = nn.ModuleList(nn.Linear(*ends) for ends in pairwise(sizes))

    def forward(self, units: Float[Tensor, "N D"], generator: torch.Generator | None) -> Float[Tensor, "N P"]:
        """The output of the last layer.

        Args:
            units: The input.
            generator: Source of the dropout masks; None: no dropout.

        Returns:
            The output.
        """
        for number, layer in enumerate(self.layers):
            units = units if number == 0 else units.tanh()
            if self.training and generator is not None and self.dropout > 0:
                units = units * dropout_mask(units, self.dropout, generator)
            units = layer(units)
        return units


def tag_encoder(width: int, tag_width: int, outputs: int, *, deep: bool, dropout: float) -> FeedForward:
    """The network from a word vector to the parameters of its tag: linear, or with Li and Eisner's two hidden layers.

    Args:
        width: Dimensions of the word vector.
        tag_width: Dimensions of the tag.
        outputs: Number of parameters.
        deep: Whether there are hidden layers.
        dropout: Dropout rate of each layer's input.

    Returns:
        The network.
    """
    if not deep:
        return FeedForward([width, outputs], dropout)
    last = (width + tag_width) // 2
    return FeedForward([width, (width + last) // 2, last, outputs], dropout)
