"""Training of compressed parsers: one, or a sweep over beta."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.kinds import TagSettings, WordShape
from nmt_ib.compression.objective import CompressionObjective
from nmt_ib.compression.parser import moved
from nmt_ib.compression.saved import ParserConfig, save_parser
from nmt_ib.compression.training import Epoch, ParserTraining, best_epoch, train
from nmt_ib.errors import RequestError
from nmt_ib.parsing.biaffine import ParserSettings
from nmt_ib.protocols import Embedder
from nmt_ib.results.parsing import CompressionPoint, finite_or_none
from nmt_ib.signature import fingerprint_lines
from nmt_ib.studies.parsing.treebanks import sample_indices

FIT_SENTENCES = 2_500  # training sentences for compressors that estimate statistics of words before training


@dataclass(frozen=True)
class EmbedderLanguages:
    """Settings with which an embedder is loaded by name.

    Attributes:
        source_language: Source language as its tokenizer names it.
        target_language: Target language as its tokenizer names it.
        prefix: Task prefix.
    """

    source_language: str | None = None
    target_language: str | None = None
    prefix: str | None = None


@dataclass(frozen=True)
class CompressionStudy:
    """Settings of one compressed parser and its training.

    Attributes:
        tags: Settings of the compressor.
        objective: The loss.
        parser: Size of the parser.
        training: Settings of the training.
    """

    tags: TagSettings = TagSettings()
    objective: CompressionObjective = CompressionObjective()
    parser: ParserSettings = ParserSettings()
    training: ParserTraining = ParserTraining()

    def __post_init__(self) -> None:
        unused = [name for name in ("gamma", "warmup", "free_bits") if getattr(self.objective, name)]
        if unused and not self.tags.is_bottleneck:
            raise RequestError(f"{self.tags.kind} tags have no rate term: omit {', '.join(unused)}")

    def config(
        self,
        embedder: Embedder,
        layers: Sequence[int],
        train_set: ParsingCorpus,
        languages: EmbedderLanguages = EmbedderLanguages(),  # noqa: B008 - frozen
    ) -> ParserConfig:
        """The configuration of the parser that `train` trains.

        Args:
            embedder: The embedder of the words.
            layers: Layers of the embedder.
            train_set: The training set.
            languages: Settings with which the embedder was loaded.

        Returns:
            The configuration.
        """
        folder = Path(embedder.name)
        type_width = 0 if train_set.types is None else train_set.types.shape[1]
        return ParserConfig(
            embedder=str(folder.resolve()) if folder.is_dir() else embedder.name,
            pooling=getattr(embedder, "pooling", ""),
            embedder_fingerprint=embedder.fingerprint,
            layers=tuple(layers),
            words=WordShape(embedder.width, type_width, len(train_set.labels.upos)),
            labels=train_set.labels,
            tags=self.tags,
            parser=self.parser,
            **asdict(languages),
        )

    def train(
        self,
        corpora: tuple[ParsingCorpus, ParsingCorpus],
        config: ParserConfig,
        directory: Path,
        *,
        device: str | torch.device = "cpu",
        after_epoch: Callable[[Epoch], object] = lambda epoch: None,
    ) -> CompressionPoint:
        """Trains the parser, or resumes its training, and saves it.

        Args:
            corpora: Training set and development set.
            config: The parser's configuration.
            directory: Directory of the checkpoint and the parser; created if it does not exist.
            device: Device of the training.
            after_epoch: Called after each epoch.

        Returns:
            The results of the best epoch.
        """
        directory.mkdir(parents=True, exist_ok=True)
        seed = self.training.seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = moved(config.build(), device)
        fit_words = corpora[0].batch(sample_indices(len(corpora[0].trees), FIT_SENTENCES, seed), device)
        with torch.no_grad():
            model.compressor.fit_(model.mixed(fit_words), fit_words)
        fingerprint = self._fingerprint(corpora, config)
        epochs = train(model, self.objective, corpora, self.training, directory, after_epoch, fingerprint)
        save_parser(directory, config, model)
        best = best_epoch(epochs)
        return CompressionPoint(
            beta=self.objective.beta if self.tags.is_bottleneck else None,
            bits_per_token=finite_or_none(best.bits),
            uas=best.uas,
            las=best.las,
            epoch=best.number,
            epochs=len(epochs),
            directory=directory.name,
        )

    def _fingerprint(self, corpora: tuple[ParsingCorpus, ParsingCorpus], config: ParserConfig) -> str:
        """Fingerprint of everything that affects the trained weights."""
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
    """Trains parsers that differ in beta only, or resumes their training.

    Args:
        studies: The parsers.
        corpora: Training set and development set.
        config: The configuration of all parsers.
        directory: Directory of a single parser; several are in subdirectories `beta-*`.
        device: Device of the training.
        after_epoch: Called after each epoch of each parser.

    Returns:
        One point for each parser, in order.
    """
    if len(studies) == 1:
        point = studies[0].train(corpora, config, directory, device=device, after_epoch=after_epoch)
        return (replace(point, directory="."),)
    folders = [directory / f"beta-{study.objective.beta:g}" for study in studies]
    return tuple(
        study.train(corpora, config, folder, device=device, after_epoch=after_epoch)
        for study, folder in zip(studies, folders, strict=True)
    )
