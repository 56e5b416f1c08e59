"""A treebank with the frozen vectors of its words, as batches of numbers."""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.compression.tags import WordBatch
from nmt_ib.parsing.metrics import universal
from nmt_ib.types import Tree

LIKE_LENGTH = 50  # batches drawn at once, within which sentences of like length go together


ROOT = "root"


@dataclass(frozen=True)
class Labels:
    """What a parser can say, as training has it.

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
        """Number of the relation that the root of a tree has, and no other word; None where training has none."""
        return self.relations.index(ROOT) if ROOT in self.relations else None


@dataclass(frozen=True)
class ParsingCorpus:
    """A treebank as numbers; its arrays may live on disk.

    Attributes:
        trees: Its sentences.
        layers: Vectors of all words, one sentence after the other, from each layer.
        labels: What relations and parts of speech are numbered by.
        types: Context-free vectors of the word forms, where a compressor asks for them.
        type_rows: Row of each word's form in `types`.
    """

    trees: Sequence[Tree]
    layers: Sequence[Float[np.ndarray, "N D"]]
    labels: Labels
    types: Float[np.ndarray, "V E"] | None = None
    type_rows: Int[np.ndarray, " N"] | None = None

    @cached_property
    def offsets(self) -> Int[np.ndarray, " B1"]:
        """Where each sentence's words begin, and where the last one's end."""
        return np.cumsum([0, *(len(tree) for tree in self.trees)])

    @cached_property
    def _numbers(self) -> Int[np.ndarray, "N 4"]:
        """Form (its hash), part of speech, head and relation of each word."""
        relations = {name: number for number, name in enumerate(self.labels.relations)}
        upos = {name: number for number, name in enumerate(self.labels.upos)}
        rows = [
            (zlib.crc32(form.encode()), upos.get(tag, -1), head, relations.get(universal(relation), -1))
            for tree in self.trees
            for form, tag, head, relation in zip(
                tree.forms, tree.upos, tree.heads or [-1] * len(tree), tree.relations or [""] * len(tree), strict=True
            )
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, 4)

    def batch(self, sentences: Sequence[int], device: torch.device | str = "cpu") -> WordBatch:
        """Some of the sentences.

        Args:
            sentences: Their numbers.
            device: Where the tensors go.

        Returns:
            The batch.
        """
        words = np.concatenate([np.arange(*self.offsets[number : number + 2]) for number in sentences])
        forms, upos, heads, relations = torch.from_numpy(self._numbers[words]).to(device).unbind(1)
        types = None if self.types is None or self.type_rows is None else self.types[self.type_rows[words]]
        return WordBatch(
            vectors=torch.from_numpy(np.stack([layer[words] for layer in self.layers], axis=1)).to(device),
            lengths=torch.tensor([len(self.trees[number]) for number in sentences], device=device),
            types=None if types is None else torch.from_numpy(types).to(device),
            forms=forms,
            upos=upos,
            heads=heads,
            relations=relations,
        )

    def shuffled(self, size: int, generator: torch.Generator) -> Iterator[list[int]]:
        """Numbers of the sentences of each batch, in random order, sentences of like length together.

        Args:
            size: Sentences of a batch.
            generator: Of the order.

        Yields:
            Numbers of sentences with at least one word.
        """
        order = [
            number for number in torch.randperm(len(self.trees), generator=generator).tolist() if self.trees[number]
        ]
        pool = size * LIKE_LENGTH
        for start in range(0, len(order), pool):
            alike = sorted(order[start : start + pool], key=lambda number: len(self.trees[number]))
            batches = [alike[place : place + size] for place in range(0, len(alike), size)]
            yield from (batches[place] for place in torch.randperm(len(batches), generator=generator).tolist())

    def by_length(self, size: int) -> Iterator[list[int]]:
        """Numbers of the sentences of each batch, the longest sentences first.

        Args:
            size: Sentences of a batch.

        Yields:
            Numbers of sentences with at least one word.
        """
        order = sorted(range(len(self.trees)), key=lambda number: -len(self.trees[number]))
        order = [number for number in order if self.trees[number]]
        yield from (order[start : start + size] for start in range(0, len(order), size))


def unpadded(grid: Tensor, lengths: Int[Tensor, " B"]) -> list[Tensor]:
    """The rows of a padded grid without their padding."""
    return [row[:length] for row, length in zip(grid, lengths.tolist(), strict=True)]
