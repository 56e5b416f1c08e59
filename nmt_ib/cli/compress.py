"""`nmt-ib compress`: how few bits of an encoder a parser needs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.terminal import (
    Device,
    Json,
    Prefix,
    Seed,
    SourceLanguage,
    TargetLanguage,
    Threads,
    out,
    print_json,
    set_threads,
)
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.results.parsing import CompressionPoint, CompressionSweep

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

Tags = Literal["continuous", "discrete", "identity", "pca", "mlp", "pos", "random"]
Pooling = Literal["first", "mean", "last"]


def compress(
    train: Annotated[str, typer.Argument(help="Training treebank: CoNLL-U, may be gzipped.")],
    dev: Annotated[str, typer.Option(help="Development treebank, which selects the best epoch.")],
    directory: Annotated[
        Path, typer.Option("--out", help="Run directory of the parser; rerun the same command to resume.")
    ],
    embedder: Annotated[
        str, typer.Option(help="builtin:minilm, builtin:en-pt, a Hugging Face name, or a directory (also of ELMo).")
    ] = "builtin:minilm",
    layer: Annotated[
        str | None,
        typer.Option(help="A number, or mix: all layers, averaged with learned weights; default: the middle one."),
    ] = None,
    pooling: Annotated[Pooling, typer.Option(help="Which pieces of a word make its vector.")] = "first",
    tags: Annotated[Tags, typer.Option(help="Kind of tags; all but the first two are baselines.")] = "continuous",
    dim: Annotated[int, typer.Option(min=1, help="Dimensions of a tag, or of a discrete tag's vector.")] = 256,
    num_tags: Annotated[int, typer.Option(min=2, help="Number of discrete or random tags.")] = 64,
    beta: Annotated[
        str, typer.Option(help="Weight of the rate term, per word; several, separated by commas: a sweep.")
    ] = "0.01",
    gamma: Annotated[float, typer.Option(help="Weight of the information of a tag beyond its word's type.")] = 0.0,
    deep: Annotated[bool, typer.Option("--deep", help="Encoder with two hidden layers, not a linear one.")] = False,
    standard_prior: Annotated[
        bool, typer.Option("--standard-prior", help="Rate against N(0, 1) instead of a learned Gaussian.")
    ] = False,
    samples: Annotated[int, typer.Option(min=1, help="Samples of each tag per training step.")] = 1,
    warmup: Annotated[float, typer.Option(help="Fraction of training over which beta and gamma rise from 0.")] = 0.0,
    free_bits: Annotated[float, typer.Option(help="Rate per word below which the rate term is 0.")] = 0.0,
    dropout: Annotated[float, typer.Option(help="Dropout rate of inputs, states and units.")] = 0.0,
    max_sentences: Annotated[
        int | None, typer.Option(min=1, help="Size of a random sample of the training sentences.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Maximum number of epochs.")] = 40,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without a better LAS before training stops.")] = 15,
    learning_rate: Annotated[float, typer.Option(help="Initial Adam learning rate, decayed linearly to 0.")] = 4e-3,
    batch_size: Annotated[int, typer.Option(min=1, help="Sentences per training step.")] = 32,
    source_language: SourceLanguage = None,
    target_language: TargetLanguage = None,
    prefix: Prefix = None,
    seed: Seed = 0,
    device: Device = "cpu",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Trains a parser on compressed word vectors, or one for each beta: how few bits does it need?"""
    from nmt_ib.studies.parsing.compress import compress as study

    betas = numbers(beta)
    set_threads(threads)
    sweep = study(
        train, dev, out=directory, embedder=embedder, layer=int(layer) if layer and layer.isdecimal() else layer,
        pooling=pooling, tags=tags, dim=dim, num_tags=num_tags, beta=betas, gamma=gamma, deep=deep,
        standard_prior=standard_prior, samples=samples, warmup=warmup, free_bits=free_bits, dropout=dropout,
        max_sentences=max_sentences, epochs=epochs, patience=patience, learning_rate=learning_rate,
        batch_size=batch_size, source_language=source_language, target_language=target_language, prefix=prefix,
        seed=seed, device=device, progress=True,
    )  # fmt: skip
    if as_json:
        print_json(sweep)
        return
    show(sweep)
    out.print(f"Parser: {directory}", soft_wrap=True)


def numbers(text: str) -> list[float]:
    """The values of `--beta`.

    Args:
        text: Numbers separated by commas.

    Returns:
        The numbers.

    Raises:
        RequestError: One of them is not a number.
    """
    try:
        return [float(number) for number in text.split(",")]
    except ValueError as error:
        raise RequestError(f"--beta {text!r}: expected numbers separated by commas, as in 0.01,0.1") from error


def show(sweep: "CompressionSweep") -> None:
    """Prints the scores of the parsers.

    Args:
        sweep: The parsers.
    """
    table = Table(box=HORIZONTALS, title="Best epoch on the development set", title_justify="left")
    for name in ("beta", "bits a word", "UAS", "LAS", "epoch"):
        table.add_column(name, justify="right", no_wrap=True)
    for point in sweep.points:
        table.add_row(*cells(point))
    out.print(table)


def cells(point: "CompressionPoint") -> tuple[str, ...]:
    """One row of the table."""
    bits = point.bits_per_token
    return (
        "-" if point.beta is None else f"{point.beta:g}",
        "-" if bits is None else f"{bits:.{1 if bits >= 10 else 2}f}",
        f"{point.uas:.1%}",
        f"{point.las:.1%}",
        f"{point.epoch} of {point.epochs}",
    )
