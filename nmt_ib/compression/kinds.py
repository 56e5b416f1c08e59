"""The kinds of tags that a user may name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from nmt_ib.compression.baselines import MLP, GoldTags, Identity, PrincipalComponents, RandomTags
from nmt_ib.compression.continuous import GaussianTags
from nmt_ib.compression.discrete import DiscreteTags
from nmt_ib.compression.tags import Compressor
from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class TagSettings:
    """The compressor between a word vector and the parser.

    Attributes:
        kind: One of `KINDS`.
        dim: Dimensions of a tag, or of a discrete tag's vector.
        num_tags: Number of discrete or random tags.
        deep: Whether the encoder has two hidden layers, as in Li and Eisner (2019); a linear one learns faster and
            from less data.
        standard_prior: Whether the rate of continuous tags is measured against the standard normal distribution.
        dropout: Dropout rate of inputs and units of the encoder.
    """

    kind: str = "continuous"
    dim: int = 256
    num_tags: int = 64
    deep: bool = False
    standard_prior: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RequestError(f"unknown tags {self.kind!r}; known: {', '.join(KINDS)}")
        if self.dim < 1:
            raise RequestError(f"tags must have at least 1 dimension, not {self.dim}")
        if self.num_tags < 2:
            raise RequestError(f"the number of tags must be at least 2, not {self.num_tags}")
        if self.deep and self.kind not in BOTTLENECKS:
            raise RequestError(f"only {' and '.join(BOTTLENECKS)} tags have hidden layers: omit deep for {self.kind}")
        if self.standard_prior and self.kind != "continuous":
            raise RequestError(f"only continuous tags have a standard prior: omit it for {self.kind}")
        if not 0 <= self.dropout < 1:
            raise RequestError(f"dropout must be at least 0 and below 1, not {self.dropout}")

    @property
    def is_bottleneck(self) -> bool:
        """Whether the loss has a rate term for these tags."""
        return self.kind in BOTTLENECKS


@dataclass(frozen=True)
class WordShape:
    """Sizes of the inputs of a compressor.

    Attributes:
        width: Dimensions D of a word vector.
        type_width: Dimensions E of a context-free vector; 0: none is used.
        num_upos: Number of parts of speech in training.
    """

    width: int
    type_width: int
    num_upos: int


KINDS: dict[str, Callable[[TagSettings, WordShape], object]] = {
    "continuous": lambda tags, words: GaussianTags(
        words.width,
        tags.dim,
        deep=tags.deep,
        dropout=tags.dropout,
        standard_prior=tags.standard_prior,
        type_width=words.type_width,
    ),
    "discrete": lambda tags, words: DiscreteTags(
        words.width, tags.num_tags, tags.dim, deep=tags.deep, dropout=tags.dropout, type_width=words.type_width
    ),
    "identity": lambda tags, words: Identity(words.width),
    "pca": lambda tags, words: PrincipalComponents(words.width, tags.dim),
    "mlp": lambda tags, words: MLP(words.width, tags.dim, tags.dropout),
    "pos": lambda tags, words: GoldTags(words.num_upos, tags.dim),
    "random": lambda tags, words: RandomTags(tags.num_tags, tags.dim),
}

BOTTLENECKS = ("continuous", "discrete")  # kinds whose loss has a rate term


def compressor(tags: TagSettings, words: WordShape) -> Compressor:
    """An untrained compressor.

    Args:
        tags: Its settings.
        words: Sizes of its inputs.

    Returns:
        The module.
    """
    return cast(Compressor, KINDS[tags.kind](tags, words))
