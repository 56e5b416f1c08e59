"""How few bits of an encoder does a parser need? From treebanks to vectors, to a trained parser, to its trees."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from nmt_ib.compression.corpus import Labels, ParsingCorpus
from nmt_ib.compression.kinds import TagSettings, WordShape
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.saved import ParserConfig, save_parser
from nmt_ib.compression.training import Epoch, TrainingSettings, best_of, evaluate, train
from nmt_ib.data.conllu import with_heads
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import load_embedder
from nmt_ib.models.vector_cache import type_vectors, word_vectors
from nmt_ib.models.vectors import WordVectors
from nmt_ib.parsing.biaffine import ParserSettings
from nmt_ib.protocols import Embedder
from nmt_ib.results.parsing import CompressionPoint, ParserTest
from nmt_ib.signature import fingerprint_lines
from nmt_ib.types import Tree

SHOWN_SENTENCES = 2_500  # of training, to compressors that look at words before they train


@dataclass(frozen=True)
class CompressionStudy:
    """A parser that is to be trained.

    Attributes:
        tags: What is made of a word's vector.
        objective: What is minimised.
        parser: Size of the parser.
        training: How it is trained.
    """

    tags: TagSettings = TagSettings()
    objective: Objective = Objective()
    parser: ParserSettings = ParserSettings()
    training: TrainingSettings = TrainingSettings()

    def config(self, embedder: Embedder, layers: Sequence[int], known: ParsingCorpus) -> ParserConfig:
        """What the trained parser will be.

        Args:
            embedder: Gives the vectors.
            layers: Whose vectors.
            known: What it learns from.

        Returns:
            The parser, apart from its weights.
        """
        folder = Path(embedder.name)
        return ParserConfig(
            embedder=str(folder.resolve()) if folder.is_dir() else embedder.name,
            pooling=getattr(embedder, "pooling", ""),
            embedder_fingerprint=embedder.fingerprint,
            layers=tuple(layers),
            words=WordShape(embedder.width, 0 if known.types is None else known.types.shape[1], len(known.labels.upos)),
            labels=known.labels,
            tags=self.tags,
            parser=self.parser,
        )

    def run(
        self,
        corpora: tuple[ParsingCorpus, ParsingCorpus],
        config: ParserConfig,
        directory: Path,
        *,
        device: str | torch.device = "cpu",
        after_epoch: Callable[[Epoch], object] = lambda epoch: None,
    ) -> CompressionPoint:
        """Trains the parser, or goes on with a training that was killed.

        Args:
            corpora: What it learns from, and what decides which epoch is best.
            config: What the parser is.
            directory: Where it is kept.
            device: Where it trains.
            after_epoch: Called after each epoch.

        Returns:
            What its best epoch came to.
        """
        directory.mkdir(parents=True, exist_ok=True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            model = config.build().to(device)
        shown = corpora[0].batch(_some(range(len(corpora[0].trees)), SHOWN_SENTENCES, self.training.seed), device)
        with torch.no_grad():
            model.compressor.fit_(model.mixed(shown), shown)
        epochs = train(
            model, self.objective, corpora, self.training, directory, after_epoch, claim=self._claim(corpora, config)
        )
        save_parser(directory, config, model)
        best = best_of(epochs)
        return CompressionPoint(
            beta=self.objective.beta,
            bits_per_token=finite(best.bits),
            uas=best.uas,
            las=best.las,
            epoch=best.number,
            epochs=len(epochs),
            seconds=sum(epoch.seconds for epoch in epochs),
            directory=directory.name,
        )

    def _claim(self, corpora: tuple[ParsingCorpus, ParsingCorpus], config: ParserConfig) -> str:
        """What decides a training's numbers."""
        lines = [line for corpus in corpora for tree in corpus.trees for line in (*tree.lines, "")]
        return fingerprint_lines([repr(config), repr(self.objective), repr(self.training), *lines])


def sampled(trees: Sequence[Tree], count: int | None, seed: int) -> list[Tree]:
    """Some sentences of a treebank, drawn at random, in its order.

    Args:
        trees: The treebank.
        count: How many; None: all.
        seed: Of the draw.

    Returns:
        The sentences.
    """
    return [trees[number] for number in _some(range(len(trees)), count, seed)]


def _some(numbers: range, count: int | None, seed: int) -> list[int]:
    """As many of the numbers, at random and in order; all where there are fewer, or no count."""
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
    keep: bool = True,
    advance: Callable[[int], object] = lambda _: None,
) -> ParsingCorpus:
    """A treebank with its words' vectors, made once and kept in the user's cache.

    Args:
        trees: The treebank.
        embedder: Gives the vectors.
        layers: Whose vectors.
        labels: What relations are numbered by; None: the treebank's own.
        types: Whether context-free vectors are wanted, too.
        keep: Whether the vectors are kept; if not, they stay in memory.
        advance: Called with the number of sentences just embedded.

    Returns:
        The corpus.
    """
    sentences = [tree.forms for tree in trees]
    found = word_vectors(embedder, sentences, layers, keep=keep, advance=advance)
    context_free = type_vectors(embedder, sentences) if types else None
    return ParsingCorpus(
        trees,
        [found[layer].rows for layer in layers],
        labels or Labels.of(trees),
        context_free.rows if context_free else None,
        context_free.which if context_free else None,
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


def parsed(
    model: CompressedParser,
    corpus: ParsingCorpus,
    *,
    batch_size: int = 128,
    advance: Callable[[int], object] = lambda _: None,
) -> list[Tree]:
    """A treebank with the trees of a parser.

    Args:
        model: The parser.
        corpus: The sentences; their own trees, if they have any, are not looked at.
        batch_size: Sentences parsed at once; changes no result beyond rounding.
        advance: Called with the number of sentences just parsed.

    Returns:
        The sentences in order.
    """
    found = list(corpus.trees)
    for sentences in corpus.by_length(batch_size):
        trees = model.parse(corpus.batch(sentences, model.mix.device))
        for number, heads, relations in zip(sentences, trees.heads, trees.relations, strict=True):
            names = [corpus.labels.relations[relation] for relation in relations.tolist()]
            found[number] = with_heads(corpus.trees[number], heads.tolist(), names)
        advance(len(sentences))
    return found


def measured(model: CompressedParser, corpus: ParsingCorpus, *, batch_size: int = 128) -> ParserTest:
    """How well a parser parses a treebank.

    Args:
        model: The parser.
        corpus: The treebank.
        batch_size: Sentences parsed at once; changes no result beyond rounding.

    Returns:
        Its scores, as the official scorer defines them where words are given, and its speed.
    """
    began = time.perf_counter()
    scores, bits = evaluate(model, corpus, batch_size)
    seconds = time.perf_counter() - began
    return ParserTest(
        uas=scores.uas,
        las=scores.las,
        clas=scores.clas,
        bits_per_token=finite(bits),
        words=scores.words,
        sentences=len(corpus.trees),
        sentences_per_second=len(corpus.trees) / seconds,
    )


def finite(bits: float) -> float | None:
    """A rate, or None where there is none: JSON has no NaN."""
    return bits if bits == bits else None
