"""`nmt-ib benchmark`: attribution methods against each other, by faithfulness or by alignments made by hand."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_ib.cli.benchmark_mi import MI_EXAMPLE, mi, split
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
    progress,
    set_threads,
)
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.protocols import Attributor, EncoderModel
    from nmt_ib.results.benchmark import Benchmark
    from nmt_ib.signature import RunSignature

TABLE = "benchmark.json"

app = typer.Typer(help="Compares methods with each other: a table of methods and figures.", rich_markup_mode=None)
app.command(epilog=MI_EXAMPLE)(mi)
Model = Annotated[str, typer.Option(help="builtin:en-pt, a Hugging Face name, or a directory.")]
Methods = Annotated[str, typer.Option(help="Names with commas between; attention@2: at layer 2. Random is always in.")]
Out = Annotated[Path | None, typer.Option("--out", help="Directory for the table; a killed benchmark goes on there.")]
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
    operators: Annotated[str, typer.Option(help="How words are taken away: mask, delete, noise.")] = "mask",
    sentences: Annotated[int, typer.Option(min=1, help="Sentences, from the start of the file.")] = 50,
    tokens: Annotated[int, typer.Option(min=1, help="Target tokens of each translation, drawn at random.")] = 3,
    readout: ReadoutNetwork = None,
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
    """Tells how much an answer suffers when the words that a method ranks high, or low, are taken away."""
    from nmt_ib.data.classification import read_sentences
    from nmt_ib.faithfulness.degradation import Degradation
    from nmt_ib.models.loading import load_model
    from nmt_ib.studies.benchmarks.attribution import benchmark_attribution

    chosen = chosen_methods(methods, seed, readout)
    kinds = [Degradation(kind).operator for kind in split(operators)]
    texts = read_sentences(data, sentences)
    translations = None if target is None else read_sentences(target, sentences)
    if translations is not None and len(translations) != len(texts):
        raise RequestError(f"{data} has {len(texts)} lines and {target} has {len(translations)}: expected one for one")
    set_threads(threads)
    loaded = load_model(
        model, device=device, source_language=source_language, target_language=target_language, prefix=prefix
    )
    settings = {"methods": list(chosen), "operators": kinds, "sentences": sentences, "tokens": tokens}
    if readout is not None:  # another network gives other rows
        settings["readout"] = sha256(
            b"".join(file.read_bytes() for file in sorted(readout.glob("network.*")))
        ).hexdigest()
    inputs = {"sources": texts} | ({} if translations is None else {"targets": translations})
    signature = signature_of("benchmark attribution", loaded, inputs, settings, seed)

    def run(done: "Benchmark | None", after: Callable) -> "Benchmark":
        return benchmark_attribution(
            loaded, texts, chosen, translations, operators=kinds, tokens=tokens, seed=seed, batch_size=batch_size,
            done=done, after_method=after,
        )  # fmt: skip

    show(carry_out(run, signature, directory, len(chosen) + 1), as_json=as_json)


@app.command(epilog=ALIGNMENT_EXAMPLE)
def alignment(
    source: Annotated[str, typer.Option(help="Sentences, one a line, blanks between their tokens.")],
    target: Annotated[str, typer.Option(help="Their translations, in the same form.")],
    links: Annotated[str, typer.Option(help="Links by hand: 3-4 sure, 3p4 possible, numbered from 0.")],
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
    """Tells how well links between words, read off a method's matrix, agree with links made by hand."""
    from nmt_ib.data.parallel import scan_parallel
    from nmt_ib.data.text import read_lines
    from nmt_ib.faithfulness.alignment import GoldLinks
    from nmt_ib.models.loading import load_translation_model
    from nmt_ib.studies.benchmarks.alignment import benchmark_alignment

    chosen = chosen_methods(methods, seed)
    roles = {"sources": source, "targets": target, "links": links}
    scan_parallel(roles)
    texts = {role: list(read_lines(name)) for role, name in roles.items()}
    for line in texts["links"]:
        GoldLinks.parse(line)
    set_threads(threads)
    loaded = load_translation_model(
        model, device=device, source_language=source_language, target_language=target_language, prefix=prefix
    )
    signature = signature_of("benchmark alignment", loaded, texts, {"methods": list(chosen)}, seed)

    def run(done: "Benchmark | None", after: Callable) -> "Benchmark":
        return benchmark_alignment(
            loaded, texts["sources"], texts["targets"], texts["links"], chosen, seed=seed, batch_size=batch_size,
            done=done, after_method=after,
        )  # fmt: skip

    show(carry_out(run, signature, directory, len(chosen) + 1), as_json=as_json, rule="intersection")


@app.command(epilog=PARSING_EXAMPLE)
def parsing(
    model: Annotated[Path, typer.Argument(help="What `nmt-ib compress` was given as --out.")],
    test: Annotated[str, typer.Argument(help="Treebank to test on: CoNLL-U, may be gzipped.")],
    device: Device = "cpu",
    batch_size: SentencesAtOnce = 128,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Tells how well a compressed parser parses, as the official scorer counts, and what bits that takes."""
    from nmt_ib.compression.saved import load_parser
    from nmt_ib.data.conllu import read_conllu
    from nmt_ib.studies.parsing.benchmark import score_parser
    from nmt_ib.studies.parsing.treebank_vectors import embed_treebank, load_parser_embedder

    set_threads(threads)
    config, parser = load_parser(model)
    trees = list(read_conllu(test))
    if not any(trees):
        raise RequestError(f"{test} has no words")
    with progress("vectors", len(trees)) as advance:
        embedder = load_parser_embedder(config, device)
        corpus = embed_treebank(trees, embedder, config.layers, config.labels, advance=advance)
    show_parsing(score_parser(parser.to(device), corpus, batch_size=batch_size), as_json=as_json)


def chosen_methods(names: str, seed: int, readout: Path | None = None) -> "dict[str, Attributor]":
    """The methods that a user named.

    Args:
        names: Names with commas between.
        seed: Seed of what is random in them.
        readout: Where the network of the method readout is.

    Returns:
        Name -> method.

    Raises:
        RequestError: There is no name, or an unknown one.
    """
    from nmt_ib.attribution.by_name import attribution_method

    found = {
        name: attribution_method(name, seed=seed, **({"network": readout} if name == "readout" and readout else {}))
        for name in split(names)
        if name != "random"
    }
    if not found:
        raise RequestError("--methods names no method: give some with commas between, as in gradient,attention")
    return found


def signature_of(
    command: str, model: "EncoderModel", texts: dict[str, list[str]], settings: dict[str, Any], seed: int
) -> "RunSignature":
    """What decides a benchmark's numbers.

    Args:
        command: Its name.
        model: The model.
        texts: Role -> lines.
        settings: What else was asked for.
        seed: The seed.

    Returns:
        The signature.
    """
    from nmt_ib.signature import RunSignature, fingerprint_lines

    data = {role: fingerprint_lines(lines) for role, lines in texts.items()}
    return RunSignature(command, model.name, model.fingerprint, data, {**settings, "words_by": model.words_by}, seed)


def carry_out(
    run: "Callable[[Benchmark | None, Callable], Benchmark]",
    signature: "RunSignature",
    directory: Path | None,
    methods: int,
) -> "Benchmark":
    """Runs a benchmark, writing the table down after each method where a directory was named.

    Args:
        run: Takes the table so far, and what is to be called after each method.
        signature: What decides the numbers.
        directory: What was given as `--out`.
        methods: How many methods there are.

    Returns:
        The table.
    """
    from nmt_ib.cli.run_directory import run_directory
    from nmt_ib.reports.jsonfile import RUN, read_json, write_json
    from nmt_ib.results.benchmark import Benchmark

    with run_directory(directory) as kept:
        kept.check(signature.difference(kept.signature) if kept.signature else None)
        with kept.locked(), progress("benchmark, methods", methods) as advance:
            path = kept.path / TABLE
            done = Benchmark.from_dict(read_json(path)) if path.is_file() else None
            if kept.signature is None:
                write_json(kept.path / RUN, signature.to_dict())

            def after(table: Benchmark) -> None:
                write_json(path, signed(table).to_dict())
                advance(1)

            def signed(table: Benchmark) -> Benchmark:
                return Benchmark(table.rows, table.sentences, table.answers, signature.to_dict())

            return signed(run(done, after))
