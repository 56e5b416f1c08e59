"""Treebanks on their way to a parser: some of their sentences, with vectors of their words."""

import random
from collections.abc import Callable, Sequence

import torch

from nmt_ib.compression.corpus import Labels, ParsingCorpus
from nmt_ib.compression.saved import ParserConfig
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import load_embedder
from nmt_ib.models.vector_cache import type_vectors, word_vectors
from nmt_ib.models.vectors import WordVectors
from nmt_ib.protocols import Embedder
from nmt_ib.types import Tree


def sampled(trees: Sequence[Tree], count: int | None, seed: int) -> list[Tree]:
    """Some sentences of a treebank, drawn at random, in its order.

    Args:
        trees: The treebank.
        count: How many; None: all.
        seed: Of the draw.

    Returns:
        The sentences.
    """
    return [trees[number] for number in sample_indices(range(len(trees)), count, seed)]


def sample_indices(numbers: range, count: int | None, seed: int) -> list[int]:
    """As many of the numbers, at random and in order; all where there are fewer, or no count.

    Args:
        numbers: To draw from.
        count: How many; None: all.
        seed: Of the draw.

    Returns:
        Rising numbers.
    """
    if count is None or count >= len(numbers):
        return list(numbers)
    return sorted(random.Random(seed).sample(numbers, count))  # noqa: S311


def embedded(
    trees: Sequence[Tree],
    embedder: Embedder,
    layers: Sequence[int],
    labels: Labels | None = None,
    *,
    types: bool = False,
    cache: bool = True,
    advance: Callable[[int], object] = lambda _: None,
) -> ParsingCorpus:
    """A treebank with its words' vectors, made once and kept in the user's cache.

    Args:
        trees: The treebank.
        embedder: Gives the vectors.
        layers: Whose vectors.
        labels: What relations are numbered by; None: the treebank's own.
        types: Whether context-free vectors are wanted, too.
        cache: Whether to cache the vectors on disk; if not, they stay in memory.
        advance: Called with the number of sentences just embedded.

    Returns:
        The corpus.
    """
    sentences = [tree.forms for tree in trees]
    found = word_vectors(embedder, sentences, layers, cache=cache, advance=advance)
    context_free = type_vectors(embedder, sentences) if types else None
    return ParsingCorpus(
        trees,
        [found[layer].rows for layer in layers],
        labels or Labels.of(trees),
        context_free.rows if context_free else None,
        context_free.index if context_free else None,
    )


def embedder_of(config: ParserConfig, device: str | torch.device = "cpu") -> Embedder:
    """What gave a parser the vectors that it was trained on.

    Args:
        config: The parser.
        device: Where the embedder goes.

    Returns:
        The embedder.

    Raises:
        RequestError: It is gone, or another one has its name now.
    """
    embedder = load_embedder(config.embedder, device=device, **({"pooling": config.pooling} if config.pooling else {}))
    if embedder.fingerprint != config.embedder_fingerprint:
        raise RequestError(f"{config.embedder} is not what the parser was trained with: its weights or pooling differ")
    return embedder


def given_vectors(trees: Sequence[Tree], vectors: WordVectors, config: ParserConfig, *, where: str) -> ParsingCorpus:
    """Sentences with vectors that a user brought.

    Args:
        trees: The sentences.
        vectors: Of their words.
        config: The parser that is to read them.
        where: What the vectors were read from, for the error.

    Returns:
        The corpus.

    Raises:
        RequestError: The vectors are those of other sentences, or not what the parser reads.
    """
    if len(config.layers) > 1:
        raise RequestError(
            f"the parser reads a mix of {len(config.layers)} layers: one file of vectors cannot give them"
        )
    if vectors.width != config.words.width:
        raise RequestError(f"{where} hold vectors of {vectors.width} dimensions, the parser reads {config.words.width}")
    lengths = [len(tree) for tree in trees]
    if len(vectors) != len(lengths):
        raise RequestError(f"{where}: vectors of {len(vectors):,} sentences, the text has {len(lengths):,}")
    for number, (given, expected) in enumerate(zip(vectors.lengths.tolist(), lengths, strict=True), start=1):
        if given != expected:
            raise RequestError(f"{where}: {given} vectors for sentence {number}, which has {expected} words")
    return ParsingCorpus(trees, [vectors.rows], config.labels)
