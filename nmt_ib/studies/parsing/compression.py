"""How few bits of an encoder does a parser need? From vectors to a trained parser, or several, and to its trees."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.kinds import PRICED, TagSettings, WordShape
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.saved import ParserConfig, save_parser
from nmt_ib.compression.training import Epoch, TrainingSettings, best_of, evaluate, train
from nmt_ib.data.conllu import with_heads
from nmt_ib.errors import RequestError
from nmt_ib.parsing.biaffine import ParserSettings
from nmt_ib.protocols import Embedder
from nmt_ib.results.parsing import CompressionPoint, ParserTest
from nmt_ib.signature import fingerprint_lines
from nmt_ib.studies.parsing.treebank_vectors import sample_indices
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

    def __post_init__(self) -> None:
        asked = [name for name in ("gamma", "warmup", "free_bits") if getattr(self.objective, name)]
        if asked and not self.priced:
            raise RequestError(f"{self.tags.kind} tags have no price: leave {', '.join(asked)} out")

    @property
    def priced(self) -> bool:
        """Whether training weighs bits against parsing."""
        return self.tags.kind in PRICED

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
        shown = corpora[0].batch(
            sample_indices(range(len(corpora[0].trees)), SHOWN_SENTENCES, self.training.seed), device
        )
        with torch.no_grad():
            model.compressor.fit_(model.mixed(shown), shown)
        epochs = train(
            model, self.objective, corpora, self.training, directory, after_epoch, claim=self._claim(corpora, config)
        )
        save_parser(directory, config, model)
        best = best_of(epochs)
        return CompressionPoint(
            beta=self.objective.beta if self.priced else None,
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


def compression_sweep(
    studies: Sequence[CompressionStudy],
    corpora: tuple[ParsingCorpus, ParsingCorpus],
    config: ParserConfig,
    directory: Path,
    *,
    device: str | torch.device = "cpu",
    after_epoch: Callable[[Epoch], object] = lambda epoch: None,
) -> tuple[CompressionPoint, ...]:
    """Trains parsers that differ in the price of their tags, or what is not yet trained of them.

    Args:
        studies: The parsers.
        corpora: What they learn from, and what decides which epoch is best.
        config: What each is.
        directory: Where they are kept: the only one, or each in a folder of its own.
        device: Where they train.
        after_epoch: Called after each epoch.

    Returns:
        One point a parser, in order.
    """
    if len(studies) == 1:
        point = studies[0].run(corpora, config, directory, device=device, after_epoch=after_epoch)
        return (replace(point, directory="."),)
    return tuple(
        study.run(corpora, config, directory / f"beta-{study.objective.beta:g}", device=device, after_epoch=after_epoch)
        for study in studies
    )


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
