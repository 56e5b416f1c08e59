"""How few bits of an encoder does a parser need? The public function."""

from collections.abc import Sequence
from dataclasses import asdict
from numbers import Integral
from pathlib import Path

import torch

from nmt_ib.compression.kinds import TagSettings, WordShape, compressor
from nmt_ib.compression.objective import CompressionObjective
from nmt_ib.compression.training import ParserTraining
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import resolve_embedder
from nmt_ib.parsing.biaffine import ParserSettings
from nmt_ib.progress import progress_bar
from nmt_ib.protocols import Embedder
from nmt_ib.requests import check_count, check_number
from nmt_ib.results.parsing import CompressionPoint, CompressionSweep
from nmt_ib.runs.directory import SUMMARY, Run, open_run, read_document
from nmt_ib.runs.loading import write_report
from nmt_ib.signature import RunSignature, fingerprint_lines
from nmt_ib.studies.parsing.compression import CompressionStudy, EmbedderLanguages, compression_sweep
from nmt_ib.studies.parsing.treebank_vectors import embed_treebank
from nmt_ib.studies.parsing.treebanks import Treebank, open_treebank, sample_sentences
from nmt_ib.types import Tree

MIX = "mix"


def compress(
    train: Treebank,
    dev: Treebank,
    *,
    out: str | Path,
    embedder: Embedder | str | Path = "builtin:minilm",
    layer: int | str | None = None,
    pooling: str | None = None,
    tags: str = "continuous",
    dim: int = 256,
    num_tags: int = 64,
    beta: float | Sequence[float] = 0.01,
    gamma: float = 0.0,
    deep: bool = False,
    standard_prior: bool = False,
    samples: int = 1,
    warmup: float = 0.0,
    free_bits: float = 0.0,
    dropout: float = 0.0,
    max_sentences: int | None = None,
    epochs: int = 40,
    patience: int = 15,
    learning_rate: float = 4e-3,
    batch_size: int = 32,
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> CompressionSweep:
    """Trains a parser on compressed word vectors, or one for each beta of a sweep.

    Args:
        train: Training treebank: name of a CoNLL-U file, also gzipped, or trees.
        dev: Development treebank, which selects the best epoch.
        out: Run directory of the parser, or of the sweep with each parser in a subdirectory; an interrupted run is
            resumed there.
        embedder: An embedder, or a name that `load_embedder` accepts.
        layer: Layer of the embedder; "mix": all layers, averaged with learned weights; None: the middle one, since the
            last ones encode less syntax.
        pooling: For an embedder given by name: which pieces make a word's vector, "first" (the default), "mean" or
            "last".
        tags: Kind of tags: "continuous" or "discrete", or a baseline: "identity", "pca", "mlp", "pos" or "random".
        dim: Dimensions of a tag, or of a discrete tag's vector.
        num_tags: Number of discrete or random tags.
        beta: Weight of the rate term, per word; several values are a sweep.
        gamma: Weight of the information of a tag beyond its word's type.
        deep: Whether the encoder has two hidden layers; otherwise it is linear.
        standard_prior: Whether the rate is measured against N(0, 1) instead of a learned Gaussian.
        samples: Samples of each tag per training step.
        warmup: Fraction of training over which beta and gamma rise from 0.
        free_bits: Rate per word below which the rate term is 0.
        dropout: Dropout rate of inputs, states and units.
        max_sentences: Size of a random sample of the training sentences; None: all.
        epochs: Maximum number of epochs.
        patience: Number of epochs without a better LAS on the development set after which training stops.
        learning_rate: Initial Adam learning rate, decayed linearly to 0.
        batch_size: Sentences per training step.
        source_language: For an embedder given by name: source language as its tokenizer names it.
        target_language: The same for the target language.
        prefix: For a T5 embedder given by name: the task prefix.
        seed: Seed of the sample of sentences, initial weights, order, samples of tags and dropout.
        device: Device of the parser, and of an embedder given by name: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show progress bars.

    Returns:
        Scores and rate of each parser on the development set.

    Raises:
        RequestError: A treebank or the embedder cannot be read, a setting is out of range or does not apply to the
            tags, training diverges, or the directory holds something else.
    """
    counts = {"dim": dim, "samples": samples, "epochs": epochs, "patience": patience, "batch_size": batch_size}
    weights = {"gamma": gamma, "warmup": warmup, "free_bits": free_bits, "dropout": dropout}
    for name, count in (counts | ({} if max_sentences is None else {"max_sentences": max_sentences})).items():
        check_count(name, count)
    for name, weight in (weights | {"learning_rate": learning_rate}).items():
        check_number(name, weight, float)
    check_count("num_tags", num_tags, 2)
    check_number("seed", seed)
    tag_settings = TagSettings(tags, dim, num_tags, deep, standard_prior, dropout)
    training = ParserTraining(epochs, batch_size, learning_rate, samples, patience, seed)
    studies = [
        CompressionStudy(
            tag_settings,
            CompressionObjective(weight, gamma, warmup, free_bits),
            ParserSettings(dropout=dropout),
            training,
        )
        for weight in _betas(beta)
    ]
    if len(studies) > 1 and not tag_settings.is_bottleneck:
        raise RequestError(f"{tags} tags have no rate term: expected a single beta")
    Run(out).check()
    trees = {role: _nonempty(treebank, role) for role, treebank in (("train", train), ("dev", dev))}
    trees["train"] = sample_sentences(trees["train"], max_sentences, seed)
    languages = EmbedderLanguages(source_language, target_language, prefix)
    loaded = resolve_embedder(
        embedder, pooling=pooling, device=device if isinstance(embedder, str | Path) else None, **asdict(languages)
    )
    layers = _layers(layer, loaded)
    compressor(tag_settings, WordShape(loaded.width, type_width=0, num_upos=1))  # raises before the run begins
    signature = _signature(studies, loaded, trees, layers)
    with open_run(out, signature) as run:
        if run.finished:
            sweep = read_document(run.path / SUMMARY, CompressionSweep)
        else:
            points = _train(studies, trees, loaded, layers, languages, run.path, device or "cpu", progress)
            sweep = CompressionSweep(points, signature.to_dict())
            run.finish(sweep)
        write_report(run.path, sweep)
    return sweep


def _train(
    studies: Sequence[CompressionStudy],
    trees: dict[str, list[Tree]],
    embedder: Embedder,
    layers: Sequence[int],
    languages: EmbedderLanguages,
    directory: Path,
    device: str | torch.device,
    progress: bool,
) -> tuple[CompressionPoint, ...]:
    """Trains the parsers that are not trained yet, and writes the tables of discrete tags."""
    types = studies[0].objective.gamma > 0
    train = embed_treebank(trees["train"], embedder, layers, types=types, progress=progress)
    dev = embed_treebank(trees["dev"], embedder, layers, train.labels, types=types, progress=progress)
    config = studies[0].config(embedder, layers, train, languages)
    with progress_bar("training: epochs", sum(study.training.epochs for study in studies), shown=progress) as advance:
        points = compression_sweep(
            studies, (train, dev), config, directory, device=device, after_epoch=lambda _: advance(1)
        )
    if config.tags.kind == "discrete":
        from nmt_ib.studies.parsing.specialization import write_tag_tables  # scikit-learn is slow to import

        write_tag_tables(directory, points, dev)
    return points


def _betas(beta: float | Sequence[float]) -> list[float]:
    """The values of a sweep, without duplicates."""
    betas = [*beta] if isinstance(beta, Sequence) and not isinstance(beta, str) else [beta]
    if not betas:
        raise RequestError("beta is empty: expected a number or several")
    for weight in betas:
        check_number("beta", weight, float)
    return list(dict.fromkeys(map(float, betas)))


def _nonempty(treebank: Treebank, role: str) -> list[Tree]:
    return [tree for tree in open_treebank(treebank, role) if tree]


def _layers(layer: int | str | None, embedder: Embedder) -> list[int]:
    """Indices of the layers that a user named."""
    if layer is None:
        return [embedder.layers // 2]
    if layer == MIX:
        return list(range(embedder.layers))
    if not isinstance(layer, Integral) or not 0 <= int(layer) < embedder.layers:
        raise RequestError(f"layer is {layer!r}: {embedder.name} has layers 0 to {embedder.layers - 1}, or {MIX!r}")
    return [int(layer)]


def _signature(
    studies: Sequence[CompressionStudy], embedder: Embedder, trees: dict[str, list[Tree]], layers: list[int]
) -> RunSignature:
    """Everything that affects the results of a sweep."""
    data = {role: fingerprint_lines(line for tree in some for line in tree.lines) for role, some in trees.items()}
    settings = {**asdict(studies[0]), "layers": layers, "beta": [study.objective.beta for study in studies]}
    return RunSignature("compress", embedder.name, embedder.fingerprint, data, settings, studies[0].training.seed)
