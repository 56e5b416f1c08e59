"""A treebank and the frozen vectors of its words, as batches of tensors."""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.batching import length_buckets
from nmt_ib.compression.tags import WordBatch
from nmt_ib.parsing.metrics import universal
from nmt_ib.types import Tree

POOL_BATCHES = 50  # batches per pool of random sentences, within which sentences of similar length share a batch
ROOT = "root"


@dataclass(frozen=True)
class Labels:
    """The label inventories of a parser, as they occur in training.

    Attributes:
        relations: Universal relations, the most frequent first.
        upos: Universal parts of speech, the most frequent first.
    """

    relations: tuple[str, ...]
    upos: tuple[str, ...]

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> "Labels":
        """The labels of a treebank.

        Args:
            trees: Its sentences.

        Returns:
            The labels.
        """
        relations = Counter(universal(relation) for tree in trees for relation in tree.relations)
        upos = Counter(tag for tree in trees for tag in tree.upos)
        return cls(*(tuple(name for name, _ in counts.most_common()) for counts in (relations, upos)))

    @property
    def root(self) -> int | None:
        """Index of the relation `root`, which only the root of a tree has; None if it does not occur in training."""
        return self.relations.index(ROOT) if ROOT in self.relations else None


@dataclass(frozen=True)
class ParsingCorpus:
    """A treebank as arrays, which may be memory-mapped.

    Attributes:
        trees: The sentences.
        layers: Vectors of all words, sentence after sentence, from each layer.
        labels: The inventories by which relations and parts of speech are indexed.
        types: Context-free vectors of the word forms; None where the compressor does not need them.
        type_rows: Row of each word's form in `types`.
    """

    trees: Sequence[Tree]
    layers: Sequence[Float[np.ndarray, "N D"]]
    labels: Labels
    types: Float[np.ndarray, "V E"] | None = None
    type_rows: Int[np.ndarray, " N"] | None = None

    @cached_property
    def offsets(self) -> Int[np.ndarray, " B1"]:
        """Index of the first word of each sentence, and the number of all words."""
        return np.cumsum([0, *(len(tree) for tree in self.trees)])

    @cached_property
    def _indices(self) -> Int[np.ndarray, "N 4"]:
        """Form (its hash), part of speech, head and relation of each word."""
        relations = {name: index for index, name in enumerate(self.labels.relations)}
        upos = {name: index for index, name in enumerate(self.labels.upos)}
        rows = [
            (zlib.crc32(form.encode()), upos.get(tag, -1), head, relations.get(universal(relation), -1))
            for tree in self.trees
            for form, tag, head, relation in zip(
                tree.forms, tree.upos, tree.heads or [-1] * len(tree), tree.relations or [""] * len(tree), strict=True
            )
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, 4)

    def batch(self, sentences: Sequence[int], device: torch.device | str = "cpu") -> WordBatch:
        """The words of some sentences.

        Args:
            sentences: Indices of the sentences.
            device: Device of the tensors.

        Returns:
            The batch.
        """
        words = np.concatenate([np.arange(*self.offsets[index : index + 2]) for index in sentences])
        forms, upos, heads, relations = torch.from_numpy(self._indices[words]).to(device).unbind(1)
        types = None if self.types is None or self.type_rows is None else self.types[self.type_rows[words]]
        return WordBatch(
            vectors=torch.from_numpy(np.stack([layer[words] for layer in self.layers], axis=1)).to(device),
            lengths=torch.tensor([len(self.trees[index]) for index in sentences], device=device),
            types=None if types is None else torch.from_numpy(types).to(device),
            forms=forms,
            upos=upos,
            heads=heads,
            relations=relations,
        )

    def shuffled_batches(self, batch_size: int, generator: torch.Generator) -> Iterator[list[int]]:
        """Batches in random order, each of sentences of similar length.

        Args:
            batch_size: Maximum number of sentences in a batch.
            generator: Source of the order.

        Yields:
            Indices of sentences with at least one word.
        """
        order = [index for index in torch.randperm(len(self.trees), generator=generator).tolist() if self.trees[index]]
        pool = batch_size * POOL_BATCHES
        for start in range(0, len(order), pool):
            similar = sorted(order[start : start + pool], key=lambda index: len(self.trees[index]))
            batches = [similar[first : first + batch_size] for first in range(0, len(similar), batch_size)]
            yield from (batches[number] for number in torch.randperm(len(batches), generator=generator).tolist())

    def batches_by_length(self, batch_size: int) -> list[list[int]]:
        """Batches of sentences of similar length, the longest first.

        Args:
            batch_size: Maximum number of sentences in a batch.

        Returns:
            Indices of sentences with at least one word, each once.
        """
        nonempty = self.nonempty
        buckets = length_buckets([len(self.trees[index]) for index in nonempty], batch_size)
        return [[nonempty[place] for place in bucket] for bucket in buckets]

    @property
    def nonempty(self) -> list[int]:
        """Indices of the sentences with at least one word."""
        return [index for index, tree in enumerate(self.trees) if tree]


def unpad(grid: Tensor, lengths: Int[Tensor, " B"]) -> list[Tensor]:
    """The rows of a padded grid without their padding."""
    return [row[:length] for row, length in zip(grid, lengths.tolist(), strict=True)]
