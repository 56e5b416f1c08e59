"""`nmt-ib benchmark`: attribution methods, parsers and estimators compared."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from nmt_ib.cli.benchmark_mi import MI_EXAMPLE, mi
from nmt_ib.cli.benchmark_table import ALIGNMENT_EXAMPLE, ATTRIBUTION_EXAMPLE, PARSING_EXAMPLE, show, show_parsing
from nmt_ib.cli.terminal import (
    BatchSize,
    Device,
    Json,
    Prefix,
    Seed,
    SentencesAtOnce,
    SourceLanguage,
    TargetLanguage,
    Threads,
    present,
    set_threads,
    split,
)

app = typer.Typer(help="Compares methods with each other.", rich_markup_mode=None)
app.command(epilog=MI_EXAMPLE)(mi)
Model = Annotated[str, typer.Option(help="builtin:en-pt, a Hugging Face name, or a directory.")]
Methods = Annotated[
    str, typer.Option(help="Names separated by commas; attention@2: at layer 2. Random scores are always added.")
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Run directory for the table; rerun the same command to resume.")
]
ReadoutNetwork = Annotated[
    Path | None,
    typer.Option("--network", help="For readout: directory of the network that recipes/train_readout.py trained."),
]


@app.command(epilog=ATTRIBUTION_EXAMPLE)
def attribution(
    data: Annotated[str, typer.Option(help="Sentences, one a line, or a table of labels and sentences as SST-2's.")],
    methods: Methods,
    model: Model = "builtin:en-pt",
    target: Annotated[str | None, typer.Option(help="Translations; without it the model's own.")] = None,
    operators: Annotated[
        str, typer.Option(help="How words are removed: mask, delete, noise; several separated by commas.")
    ] = "mask",
    max_sentences: Annotated[int, typer.Option(min=1, help="Only the first so many sentences.")] = 50,
    tokens: Annotated[int, typer.Option(min=1, help="Target tokens of each translation, drawn at random.")] = 3,
    network: ReadoutNetwork = None,
    directory: Out = None,
    source_language: SourceLanguage = None,
    target_language: TargetLanguage = None,
    prefix: Prefix = None,
    seed: Seed = 0,
    device: Device = "cpu",
    batch_size: BatchSize = 32,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Measures how much an answer suffers when words that a method ranks high, or low, are removed."""
    from nmt_ib.studies.benchmarks.benchmark import attribution as study

    set_threads(threads)
    found = study(
        model, data, target, methods=split(methods), operators=split(operators), max_sentences=max_sentences,
        tokens=tokens, network=network, source_language=source_language, target_language=target_language,
        prefix=prefix, seed=seed, batch_size=batch_size, device=device, progress=True, out=directory,
    )  # fmt: skip
    present(found, show, directory, as_json=as_json)


@app.command(epilog=ALIGNMENT_EXAMPLE)
def alignment(
    source: Annotated[str, typer.Option(help="Tokenised sentences, one a line, blanks between tokens.")],
    target: Annotated[str, typer.Option(help="Their translations, in the same form.")],
    links: Annotated[str, typer.Option(help="Manual links: 3-4 sure, 3p4 possible, numbered from 0.")],
    methods: Methods,
    model: Model = "builtin:en-pt",
    directory: Out = None,
    source_language: SourceLanguage = None,
    target_language: TargetLanguage = None,
    prefix: Prefix = None,
    seed: Seed = 0,
    device: Device = "cpu",
    batch_size: BatchSize = 32,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Measures how well word links read off a method's matrix agree with manual links."""
    from nmt_ib.studies.benchmarks.benchmark import alignment as study

    set_threads(threads)
    found = study(
        model, source, target, links, methods=split(methods), source_language=source_language,
        target_language=target_language, prefix=prefix, seed=seed, batch_size=batch_size, device=device, progress=True,
        out=directory,
    )  # fmt: skip
    present(found, partial(show, rule="intersection"), directory, as_json=as_json)


@app.command(epilog=PARSING_EXAMPLE)
def parsing(
    model: Annotated[Path, typer.Argument(help="The --out directory of `nmt-ib compress`.")],
    test: Annotated[str, typer.Argument(help="Test treebank: CoNLL-U, may be gzipped.")],
    device: Device = "cpu",
    batch_size: SentencesAtOnce = 128,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Measures attachment scores of a compressed parser, as the official scorer does, and its bits a word."""
    from nmt_ib.studies.parsing.benchmark import parsing as study

    set_threads(threads)
    scores = study(model, test, batch_size=batch_size, device=device, progress=True)
    present(scores, show_parsing, None, as_json=as_json)
