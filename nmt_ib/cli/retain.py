"""`nmt-ib retain`: what each layer keeps of each word."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.render import REPORT
from nmt_ib.cli.run_directory import run_directory
from nmt_ib.cli.show import print_json
from nmt_ib.cli.terminal import (
    BatchSize,
    Device,
    Json,
    Prefix,
    Seed,
    SourceLanguage,
    TargetLanguage,
    Threads,
    out,
    printable,
    progress,
    set_threads,
)
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.reports.jsonfile import RunDirectory
    from nmt_ib.results.retention import RetentionSummary
    from nmt_ib.studies.retention.retain import RetentionStudy

SHORT = {"open class": "open", "closed class": "closed", "punctuation": "punct."}
EXAMPLE = """\b
Example:
  $ nmt-ib retain builtin:sample-en --model builtin:en-pt --sentences 10
  What each layer of builtin:en-pt keeps
   ───────────────────────────────────────────────────────────────────────────
   layer      bits  95% interval  noise  kept  closed  open  punct.  forgotten
   ───────────────────────────────────────────────────────────────────────────
   encoder 1   648       627-671     10  100%    100%  100%    100%         0%
   encoder 2   690       664-717     14  106%    104%  107%    105%         0%
   encoder 3   676       648-704     17  103%    100%  106%    102%         0%
   encoder 4   645       615-674     19   98%     96%  100%     98%         0%
   encoder 5   665       631-698     33  101%     98%  104%    102%         0%
   encoder 6   672       631-712     48  103%    100%  105%    104%         0%
   decoder 1   513       488-542     67   78%     74%   81%     83%         5%
   decoder 2   685       651-717     43  105%     96%  112%    103%         5%
   ───────────────────────────────────────────────────────────────────────────
  decoder 1: -160 bits a word against the encoder's last [-180, -137]
  decoder 2: +12 bits a word against the encoder's last [+2, +22]
  187 words in 10 lines, 0 skipped
"""


def retain(
    source: Annotated[
        str,
        typer.Argument(
            help="Sentences, one a line, or label and sentence as SST-2 has them (.tsv); builtin:sample-en."
        ),
    ],
    model: Annotated[
        str, typer.Option(help="builtin:en-pt, builtin:minilm, a Hugging Face name, or a directory.")
    ] = "builtin:en-pt",
    compare: Annotated[
        list[str] | None, typer.Option(help="Another model for the same sentences; may be given several times.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Translations that the decoder is forced to write; else the model's own.")
    ] = None,
    sentences: Annotated[int | None, typer.Option(min=1, help="Only the first so many lines.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory: results, report, figures; a killed run goes on there.")
    ] = None,
    rate: Annotated[float, typer.Option(help="What noise gains: the more, the fewer bits are kept.")] = 0.1,
    repetitions: Annotated[int, typer.Option(min=1, help="Searches with other noise, which give its error.")] = 2,
    source_language: SourceLanguage = None,
    target_language: TargetLanguage = None,
    prefix: Prefix = None,
    seed: Seed = 0,
    device: Device = "cpu",
    batch_size: BatchSize = 32,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Tells how many bits of each word every layer of an encoder, and of a decoder, still holds."""
    from nmt_ib.data.classification import read_sentences
    from nmt_ib.models.loading import load_model
    from nmt_ib.requests import check_reads_targets
    from nmt_ib.studies.retention.retain import RetentionStudy, study_of

    set_threads(threads)
    names = [model, *(compare or [])]
    if len(set(names)) < len(names):
        raise RequestError(f"--compare names a model twice: {', '.join(names)}")
    lines = read_sentences(source, sentences)
    targets = None if target is None else read_sentences(target, sentences)
    if targets is not None and len(targets) != len(lines):
        raise RequestError(f"{source} has {len(lines):,} lines, {target} has {len(targets):,}: they belong together")
    if out is not None:
        from nmt_ib.reports.jsonfile import RunDirectory

        RunDirectory(out).check(None)
    method = replace(RetentionStudy.method, rate=rate, seed=seed)
    settings = {"source_language": source_language, "target_language": target_language, "prefix": prefix}
    loaded = [load_model(name, device=device, **settings) for name in names]
    for one in loaded if targets is not None else ():
        check_reads_targets(one)
    with run_directory(out) as run:
        for number, one in enumerate(loaded):
            study = study_of(one, lines, method, repetitions, batch_size)
            carry_out(run if number == 0 else run.compared(number), study, lines, targets)
        finish(run, as_json=as_json, named=out is not None)


def carry_out(run: "RunDirectory", study: "RetentionStudy", lines: list[str], targets: list[str] | None) -> None:
    """Does what is not yet done of a run, and writes its summary.

    Args:
        run: Where it is kept.
        study: What is done with each chunk of lines.
        lines: The sentences.
        targets: Their translations, if they are forced.
    """
    from nmt_ib.signature import fingerprint_lines
    from nmt_ib.studies.retention.retain import CHUNK_LINES, signature_of_retention
    from nmt_ib.studies.retention.summary import summarize_retention

    data = {"sources": fingerprint_lines(lines)} | ({} if targets is None else {"targets": fingerprint_lines(targets)})
    signature = signature_of_retention(study, data)
    with run.locked():
        run.check(signature.difference(run.signature) if run.signature else None)
        run.begin(signature.to_dict())
        done = run.resume(CHUNK_LINES, len(lines))
        with progress(f"measuring {study.model.name}", len(lines), done) as advance:
            while done < len(lines):
                stop = min(done + CHUNK_LINES, len(lines))
                run.append(study.chunk(done, lines[done:stop], None if targets is None else targets[done:stop]))
                advance(stop - done)
                done = stop
        run.write_summary(summarize_retention(study.model.name, study.layers, run.sentences(), study.method.seed))


def finish(run: "RunDirectory", *, as_json: bool, named: bool) -> None:
    """Writes the report and the figures, and prints what the run shows.

    Args:
        run: The run.
        as_json: Whether to print one JSON document instead of tables.
        named: Whether the user named the directory.
    """
    from nmt_ib.cli.render import write_reports

    if named:
        write_reports(run)
    if as_json:
        print_json(run)
        return
    for summary in run.summaries().values():
        out.print(layer_table(summary))
        for layer in summary.layers:
            if layer.against_encoder is not None:
                more, low, high = layer.against_encoder
                interval = f"{low:+z.0f}, {high:+z.0f}" if low < high else "-"
                out.print(f"{layer.name}: {more:+z.0f} bits a word against the encoder's last [{interval}]")
        out.print(
            f"{summary.words:,} words in {summary.sentences:,} lines, {summary.skipped:,} skipped", soft_wrap=True
        )
    if named:
        out.print(f"Report: {run.path / REPORT}", soft_wrap=True)


def layer_table(summary: "RetentionSummary") -> Table:
    """One row a layer.

    Args:
        summary: What a corpus shows.

    Returns:
        A table for the terminal.
    """
    table = Table(
        box=HORIZONTALS,
        title=f"What each layer of {printable(summary.model)} keeps",
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 1),
    )
    table.add_column("layer", no_wrap=True)
    classes = list(summary.layers[0].kept_by_class) if summary.layers else []
    for name in ("bits", "95% interval", "noise", "kept", *(SHORT[name] for name in classes), "forgotten"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in summary.layers:
        shares = (layer.kept, *(layer.kept_by_class[name] for name in classes), layer.forgotten)
        low, high = layer.interval
        interval = f"{low:.0f}-{high:.0f}" if low < high else "-"  # one sentence has none
        noise = f"{layer.noise_bits:.0f}" if layer.noise_bits else "-"  # one repetition shows none
        figures = (f"{layer.bits:.0f}", interval, noise)
        table.add_row(layer.name, *figures, *(f"{share:.0%}" for share in shares))
    return table
