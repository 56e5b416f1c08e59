"""Treebanks as input of a parser: sampled sentences and the vectors of their words."""

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


def sample_sentences(trees: Sequence[Tree], count: int | None, seed: int) -> list[Tree]:
    """A random sample of a treebank's sentences, in their order.

    Args:
        trees: The treebank.
        count: Size of the sample; None: all sentences.
        seed: Seed of the sample.

    Returns:
        The sentences.
    """
    return [trees[index] for index in sample_indices(len(trees), count, seed)]


def sample_indices(total: int, count: int | None, seed: int) -> list[int]:
    """A random sample of the indices 0 to `total` - 1, in ascending order.

    Args:
        total: Number of indices.
        count: Size of the sample; None or more than `total`: all indices.
        seed: Seed of the sample.

    Returns:
        The indices.
    """
    if count is None or count >= total:
        return list(range(total))
    return sorted(random.Random(seed).sample(range(total), count))  # noqa: S311


def embed_treebank(
    trees: Sequence[Tree],
    embedder: Embedder,
    layers: Sequence[int],
    labels: Labels | None = None,
    *,
    types: bool = False,
    cache: bool = True,
    advance: Callable[[int], object] = lambda _: None,
) -> ParsingCorpus:
    """A treebank with the vectors of its words.

    Args:
        trees: The treebank.
        embedder: The embedder of the words.
        layers: Layers of the embedder.
        labels: Label inventories; None: those of the treebank.
        types: Whether to add context-free vectors.
        cache: Whether the vectors are read from and written to the user's cache.
        advance: Called with the number of sentences just embedded.

    Returns:
        The corpus.
    """
    sentences = [tree.forms for tree in trees]
    vectors = word_vectors(embedder, sentences, layers, cache=cache, advance=advance)
    context_free = type_vectors(embedder, sentences) if types else None
    return ParsingCorpus(
        trees,
        [vectors[layer].rows for layer in layers],
        labels or Labels.of(trees),
        context_free.rows if context_free else None,
        context_free.index if context_free else None,
    )


def load_parser_embedder(config: ParserConfig, device: str | torch.device = "cpu") -> Embedder:
    """The embedder with which a parser was trained.

    Args:
        config: The parser's configuration.
        device: Device of the embedder.

    Returns:
        The embedder.

    Raises:
        RequestError: The embedder does not exist any more, or has changed.
    """
    embedder = load_embedder(config.embedder, device=device, **({"pooling": config.pooling} if config.pooling else {}))
    if embedder.fingerprint != config.embedder_fingerprint:
        raise RequestError(
            f"{config.embedder} is not the embedder that the parser was trained with: its weights or pooling differ"
        )
    return embedder


def corpus_from_vectors(
    trees: Sequence[Tree], vectors: WordVectors, config: ParserConfig, *, name: str
) -> ParsingCorpus:
    """Sentences with word vectors from the user.

    Args:
        trees: The sentences.
        vectors: Vectors of their words.
        config: Configuration of the parser that reads them.
        name: Name of the vectors, for error messages.

    Returns:
        The corpus.

    Raises:
        RequestError: The vectors do not match the sentences or the parser.
    """
    if len(config.layers) > 1:
        raise RequestError(
            f"the parser reads a mix of {len(config.layers)} layers, which a single file of vectors does not provide"
        )
    if vectors.width != config.words.width:
        raise RequestError(f"{name}: vectors of {vectors.width} dimensions, but the parser reads {config.words.width}")
    lengths = [len(tree) for tree in trees]
    if len(vectors) != len(lengths):
        raise RequestError(f"{name}: vectors of {len(vectors):,} sentences, but the text has {len(lengths):,}")
    for number, (given, expected) in enumerate(zip(vectors.lengths.tolist(), lengths, strict=True), start=1):
        if given != expected:
            raise RequestError(f"{name}: {given} vectors for sentence {number}, which has {expected} words")
    return ParsingCorpus(trees, [vectors.rows], config.labels)
