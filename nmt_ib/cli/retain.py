"""`nmt-ib retain`: what each layer keeps of each word."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.terminal import (
    BatchSize,
    Device,
    Json,
    Prefix,
    Seed,
    SourceLanguage,
    TargetLanguage,
    Threads,
    present,
    printable,
    set_threads,
)
from nmt_ib.cli.terminal import out as console

if TYPE_CHECKING:
    from nmt_ib.results.retention import Retention, RetentionSummary

SHORT = {"open class": "open", "closed class": "closed", "punctuation": "punct."}
EXAMPLE = """\b
Example:
  $ nmt-ib retain builtin:sample-en --model builtin:en-pt --max-sentences 10
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
  decoder 1: -160 bits a word relative to the last encoder layer [-180, -137]
  decoder 2: +12 bits a word relative to the last encoder layer [+2, +22]
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
    max_sentences: Annotated[int | None, typer.Option(min=1, help="Only the first so many sentences.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory for results, report and figures; rerun the same command to resume."),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Weight of the noise's entropy: the larger, the fewer bits are kept.")
    ] = 0.1,
    repetitions: Annotated[int, typer.Option(min=1, help="Searches with other noise; their spread is the error.")] = 2,
    source_language: SourceLanguage = None,
    target_language: TargetLanguage = None,
    prefix: Prefix = None,
    seed: Seed = 0,
    device: Device = "cpu",
    batch_size: BatchSize = 32,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Measures how many bits of each word every encoder and decoder layer keeps."""
    from nmt_ib.studies.retention.retain import retain as study

    set_threads(threads)
    found = study(
        model,
        source,
        target,
        compare=compare or (),
        max_sentences=max_sentences,
        rate=rate,
        repetitions=repetitions,
        source_language=source_language,
        target_language=target_language,
        prefix=prefix,
        seed=seed,
        batch_size=batch_size,
        device=device,
        progress=True,
        out=out,
    )
    present(found, show, out, as_json=as_json)


def show(found: "Retention") -> None:
    """Prints a table of layers for each model.

    Args:
        found: What the layers keep.
    """
    for summary in (found.summary, *(other.summary for other in found.compared)):
        console.print(layer_table(summary))
        for layer in summary.layers:
            if layer.against_encoder is not None:
                more, low, high = layer.against_encoder
                interval = f"{low:+z.0f}, {high:+z.0f}" if low < high else "-"
                console.print(f"{layer.name}: {more:+z.0f} bits a word relative to the last encoder layer [{interval}]")
    summary = found.summary
    console.print(
        f"{summary.words:,} words in {summary.sentences:,} lines, {summary.skipped:,} skipped", soft_wrap=True
    )


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
