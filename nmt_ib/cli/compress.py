"""`nmt-ib compress`: how few bits of an encoder a parser needs."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.compression_request import betas, chosen_layers, signature_of, with_words
from nmt_ib.cli.terminal import Device, Json, Seed, Threads, out, set_threads
from nmt_ib.errors import RequestError
from nmt_ib.progress import progress_bar

if TYPE_CHECKING:
    from nmt_ib.compression.corpus import Labels, ParsingCorpus
    from nmt_ib.protocols import Embedder
    from nmt_ib.results.parsing import CompressionSweep
    from nmt_ib.signature import RunSignature
    from nmt_ib.studies.parsing.compression import CompressionStudy
    from nmt_ib.types import Tree

EXAMPLE = """\b
Example:
  $ nmt-ib compress en_ewt-ud-train.conllu.gz --dev en_ewt-ud-dev.conllu.gz \\
      --max-sentences 500 --out model/
  Best epoch on the development set
   ───────────────────────────────────────────────
    beta   bits a word     UAS     LAS      epoch
   ───────────────────────────────────────────────
    0.01          54.7   81.9%   76.4%   37 of 40
   ───────────────────────────────────────────────
  Parser: model
"""

Vectors = Annotated[
    str, typer.Option(help="builtin:minilm, builtin:en-pt, a Hugging Face name, or a directory (also of ELMo).")
]
Layer = Annotated[
    str | None,
    typer.Option(help="A number, or mix: all layers, averaged with learned weights; default: the middle one."),
]
Pooling = Annotated[str, typer.Option(help="How the vectors of a word's pieces are pooled: first, mean, last.")]
Betas = Annotated[str, typer.Option(help="Weight of the rate term, per word; several, comma-separated: a sweep.")]
StandardPrior = Annotated[
    bool, typer.Option("--standard-prior", help="Rate against N(0, 1) instead of a learned Gaussian.")
]


def compress(
    train: Annotated[str, typer.Argument(help="Training treebank: CoNLL-U, may be gzipped.")],
    dev: Annotated[str, typer.Option(help="Development treebank, which selects the best epoch.")],
    directory: Annotated[
        Path, typer.Option("--out", help="Directory of the parser; rerun the same command to resume.")
    ],
    embedder: Vectors = "builtin:minilm",
    layer: Layer = None,
    pooling: Pooling = "first",
    tags: Annotated[str, typer.Option(help="continuous, discrete, identity, pca, mlp, pos or random.")] = "continuous",
    dim: Annotated[int, typer.Option(min=1, help="Dimensions of a tag or of its vector.")] = 256,
    num_tags: Annotated[int, typer.Option(min=2, help="Number of discrete tags.")] = 64,
    beta: Betas = "0.01",
    gamma: Annotated[float, typer.Option(help="Weight of the information beyond a word's type.")] = 0.0,
    deep: Annotated[
        bool, typer.Option("--deep", help="Encoder with two hidden layers instead of a linear one.")
    ] = False,
    standard_prior: StandardPrior = False,
    samples: Annotated[int, typer.Option(min=1, help="Samples of each tag per training step.")] = 1,
    warmup: Annotated[float, typer.Option(help="Fraction of training over which beta and gamma rise.")] = 0.0,
    free_bits: Annotated[float, typer.Option(help="Rate per word below which the rate term is 0.")] = 0.0,
    dropout: Annotated[float, typer.Option(help="Dropout rate of inputs, states and units.")] = 0.0,
    max_sentences: Annotated[
        int | None, typer.Option(min=1, help="Size of a random sample of the training sentences.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Maximum number of epochs.")] = 40,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without a better LAS before training stops.")] = 15,
    learning_rate: Annotated[float, typer.Option(help="Initial Adam learning rate, decayed linearly to 0.")] = 4e-3,
    batch_size: Annotated[int, typer.Option(min=1, help="Sentences per training step.")] = 32,
    seed: Seed = 0,
    device: Device = "cpu",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Trains a parser on compressed word vectors, or one for each beta: how few bits does it need?"""
    from nmt_ib.compression.kinds import TagSettings, WordShape, compressor
    from nmt_ib.compression.objective import Objective
    from nmt_ib.compression.training import TrainingSettings
    from nmt_ib.data.conllu import read_conllu
    from nmt_ib.models.loading import load_embedder
    from nmt_ib.parsing.biaffine import ParserSettings
    from nmt_ib.runs.directory import Run, open_run
    from nmt_ib.studies.parsing.compression import CompressionStudy
    from nmt_ib.studies.parsing.treebank_vectors import sample_sentences

    study = CompressionStudy(
        TagSettings(tags, dim, num_tags, deep, standard_prior, dropout),
        parser=ParserSettings(dropout=dropout),
        training=TrainingSettings(epochs, batch_size, learning_rate, samples, patience, seed),
    )
    studies = [replace(study, objective=Objective(weight, gamma, warmup, free_bits)) for weight in betas(beta)]
    if not study.tags.is_bottleneck and len(studies) > 1:
        raise RequestError(f"{tags} tags have no rate term: several betas train the same parser")
    Run(directory).check()
    trees = (
        sample_sentences(with_words(read_conllu(train), train), max_sentences, seed),
        with_words(read_conllu(dev), dev),
    )
    set_threads(threads)
    loaded = load_embedder(embedder, device=device, pooling=pooling)
    layers = chosen_layers(layer, loaded)
    compressor(study.tags, WordShape(loaded.width, type_width=0, num_upos=1))  # raises early
    signature = signature_of(studies, loaded, {"train": trees[0], "dev": trees[1]}, layers)
    with open_run(directory, signature) as run:
        known = embed(trees[0], loaded, layers, None, gamma > 0, train)
        unseen = embed(trees[1], loaded, layers, known.labels, gamma > 0, dev)
        sweep = carry_out(studies, (known, unseen), loaded, layers, directory, device, signature)
        run.finish(sweep)
    show(sweep, directory, as_json=as_json)


def embed(
    trees: "list[Tree]", embedder: "Embedder", layers: list[int], labels: "Labels | None", types: bool, name: str
) -> "ParsingCorpus":
    """A treebank with its vectors, with a progress bar unless they are cached."""
    from nmt_ib.studies.parsing.treebank_vectors import embed_treebank

    with progress_bar(f"vectors of {Path(name).name}", len(trees)) as advance:
        return embed_treebank(trees, embedder, layers, labels, types=types, advance=advance)


def carry_out(
    studies: "list[CompressionStudy]",
    corpora: "tuple[ParsingCorpus, ParsingCorpus]",
    embedder: "Embedder",
    layers: list[int],
    directory: Path,
    device: str,
    signature: "RunSignature",
) -> "CompressionSweep":
    """Trains the parsers that are not trained yet.

    Args:
        studies: The parsers, which differ in beta.
        corpora: Training set and development set.
        embedder: The embedder of the words.
        layers: Layers of the embedder.
        directory: Directory of a single parser; several are in subdirectories.
        device: Device of the training.
        signature: Everything that affects the results.

    Returns:
        The sweep.
    """
    from nmt_ib.reports.png.parsing import write_sweep_figure
    from nmt_ib.results.parsing import CompressionSweep
    from nmt_ib.studies.parsing.compression import compression_sweep

    config = studies[0].config(embedder, layers, corpora[0])
    with progress_bar("training: epochs", sum(study.training.epochs for study in studies)) as advance:
        points = compression_sweep(studies, corpora, config, directory, device=device, after_epoch=lambda _: advance(1))
    if config.tags.kind == "discrete":
        from nmt_ib.studies.parsing.specialization import write_tag_tables  # scikit-learn is slow to import

        write_tag_tables(directory, points, corpora[1])
    sweep = CompressionSweep(points, signature.to_dict())
    if len(studies) > 1:
        write_sweep_figure(directory, sweep)
    return sweep


def show(sweep: "CompressionSweep", directory: Path, *, as_json: bool) -> None:
    """Prints the results of the parsers.

    Args:
        sweep: The parsers.
        directory: Directory of the sweep.
        as_json: Whether to print one JSON document instead of a table.
    """
    if as_json:
        sys.stdout.write(json.dumps(sweep.to_dict(), ensure_ascii=False) + "\n")
        return
    table = Table(box=HORIZONTALS, title="Best epoch on the development set", title_justify="left")
    for name in ("beta", "bits a word", "UAS", "LAS", "epoch"):
        table.add_column(name, justify="right", no_wrap=True)
    for point in sweep.points:
        bits = point.bits_per_token
        rate = (
            "-" if point.beta is None else f"{point.beta:g}",
            "-" if bits is None else f"{bits:.{1 if bits >= 10 else 2}f}",
        )
        shares = (f"{point.uas:.1%}", f"{point.las:.1%}")
        table.add_row(*rate, *shares, f"{point.epoch} of {point.epochs}")
    out.print(table)
    out.print(f"Parser: {directory}", soft_wrap=True)
