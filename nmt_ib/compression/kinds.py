"""The kinds of tags that a user may name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from nmt_ib.compression.baselines import GivenTags, Identity, Network, Projection, RandomTags
from nmt_ib.compression.continuous import GaussianTags
from nmt_ib.compression.discrete import DiscreteTags
from nmt_ib.compression.tags import Compressor
from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class TagSettings:
    """What is made of a word's vector.

    Attributes:
        kind: A name of `KINDS`.
        dim: Dimensions of a tag, or of a discrete tag's vector.
        tags: Number of discrete or random tags.
        deep: Whether the tag's encoder has two hidden layers, as in Li and Eisner (2019); without, it learns faster
            and from less.
        standard_prior: Whether continuous tags are priced against the standard normal distribution.
        dropout: Share of inputs and units that the network before the tag drops in training.
    """

    kind: str = "continuous"
    dim: int = 256
    tags: int = 64
    deep: bool = False
    standard_prior: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RequestError(f"unknown tags {self.kind!r}; known: {', '.join(KINDS)}")
        if self.dim < 1 or self.tags < 2:
            raise RequestError(f"tags have at least 1 dimension, not {self.dim}; there are at least 2, not {self.tags}")
        if self.deep and self.kind not in PRICED:
            raise RequestError(f"only {' and '.join(PRICED)} tags have hidden layers: leave deep out for {self.kind}")
        if self.standard_prior and self.kind != "continuous":
            raise RequestError(f"only continuous tags have a standard prior: leave it out for {self.kind}")
        if not 0 <= self.dropout < 1:
            raise RequestError(f"dropout is a share from 0 to below 1, not {self.dropout}")


@dataclass(frozen=True)
class WordShape:
    """What is known of words before training.

    Attributes:
        width: Dimensions D of a vector.
        types: Dimensions E of a context-free vector; 0: there are none.
        upos: Number of parts of speech.
    """

    width: int
    types: int
    upos: int


KINDS: dict[str, Callable[[TagSettings, WordShape], object]] = {
    "continuous": lambda tags, words: GaussianTags(
        words.width,
        tags.dim,
        deep=tags.deep,
        dropout=tags.dropout,
        standard_prior=tags.standard_prior,
        types=words.types,
    ),
    "discrete": lambda tags, words: DiscreteTags(
        words.width, tags.tags, tags.dim, deep=tags.deep, dropout=tags.dropout, types=words.types
    ),
    "identity": lambda tags, words: Identity(words.width),
    "pca": lambda tags, words: Projection(words.width, tags.dim),
    "mlp": lambda tags, words: Network(words.width, tags.dim, tags.dropout),
    "pos": lambda tags, words: GivenTags(words.upos, tags.dim),
    "random": lambda tags, words: RandomTags(tags.tags, tags.dim),
}

PRICED = ("continuous", "discrete")  # their training weighs bits against parsing


def compressor(tags: TagSettings, words: WordShape) -> Compressor:
    """An untrained compressor.

    Args:
        tags: What it makes.
        words: Of what.

    Returns:
        The module.
    """
    return cast(Compressor, KINDS[tags.kind](tags, words))
