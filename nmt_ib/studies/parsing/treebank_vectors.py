"""The input of a parser: treebanks with the vectors of their words."""

from collections.abc import Sequence
from pathlib import Path

import torch

from nmt_ib.compression.corpus import Labels, ParsingCorpus
from nmt_ib.compression.saved import ParserConfig
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import load_embedder
from nmt_ib.models.vector_cache import type_vectors, word_vectors
from nmt_ib.models.vectors import WordVectors
from nmt_ib.progress import progress_bar
from nmt_ib.protocols import Embedder
from nmt_ib.types import Tree


def embed_treebank(
    trees: Sequence[Tree],
    embedder: Embedder,
    layers: Sequence[int],
    labels: Labels | None = None,
    *,
    types: bool = False,
    cache: bool = True,
    progress: bool = False,
) -> ParsingCorpus:
    """A treebank with the vectors of its words.

    Args:
        trees: The treebank.
        embedder: The embedder of the words.
        layers: Layers of the embedder.
        labels: Label inventories; None: those of the treebank.
        types: Whether to add context-free vectors.
        cache: Whether the vectors are read from and written to the user's cache.
        progress: Whether to show a progress bar.

    Returns:
        The corpus.
    """
    sentences = [tree.forms for tree in trees]
    with progress_bar("word vectors", len(trees), shown=progress) as advance:
        vectors = word_vectors(embedder, sentences, layers, cache=cache, advance=advance)
    context_free = type_vectors(embedder, sentences) if types else None
    return ParsingCorpus(
        trees,
        [vectors[layer].rows for layer in layers],
        labels or Labels.of(trees),
        context_free.rows if context_free else None,
        context_free.index if context_free else None,
    )


def embed_for_parser(
    trees: Sequence[Tree],
    config: ParserConfig,
    *,
    device: str | torch.device | None = None,
    cache: bool = True,
    progress: bool = False,
) -> ParsingCorpus:
    """A treebank with vectors from the embedder with which a parser was trained.

    Args:
        trees: The treebank.
        config: The parser's configuration.
        device: Device of the embedder; None: the CPU.
        cache: Whether the vectors are read from and written to the user's cache.
        progress: Whether to show a progress bar.

    Returns:
        The corpus.
    """
    embedder = load_parser_embedder(config, device or "cpu")
    return embed_treebank(trees, embedder, config.layers, config.labels, cache=cache, progress=progress)


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
    embedder = load_embedder(
        config.embedder,
        device=device,
        source_language=config.source_language,
        target_language=config.target_language,
        prefix=config.prefix,
        **({"pooling": config.pooling} if config.pooling else {}),
    )
    if embedder.fingerprint != config.embedder_fingerprint:
        raise RequestError(
            f"{config.embedder} is not the embedder that the parser was trained with: its weights or pooling differ"
        )
    return embedder


def corpus_from_vectors(
    trees: Sequence[Tree], vectors: WordVectors, config: ParserConfig, *, name: str | Path
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
