"""`nmt-ib diagnose`: which source words were dropped, and where."""

from pathlib import Path
from typing import Annotated, Literal

import typer

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
    set_threads,
)

Operator = Literal["unknown", "noise", "delete"]
EXAMPLE = """\b
Example:
  $ echo "The small bridge over the river was closed yesterday." > news.en
  $ echo "A ponte foi fechada ontem." > news.pt
  $ nmt-ib diagnose news.en --target news.pt --model builtin:en-pt
  Sentences with most dropped words
  ──────────────────────────────────────────────────────────────────────────────
    line   source, with [dropped words]; translation    dropped   bits   lost in
   ──────────────────────────────────────────────────────────────────────────────
       1   The [small] bridge [over] [the] [river]      small     -5.3   decoder
           was closed yesterday.                        over      -3.9   decoder
           A ponte foi fechada ontem.                   the       -4.0   encoder
                                                        river     -4.6   encoder
   ──────────────────────────────────────────────────────────────────────────────
  4 of 10 source words dropped (2 lost in the encoder, 2 in the decoder) in 1 of 1 sentences
  0 lines skipped; target / source pieces 0.60
"""


def diagnose(
    source: Annotated[
        str,
        typer.Argument(
            help="Sentences, one a line; builtin:sample-en; sacrebleu:SET/PAIR; hf:NAME:CONFIG:SPLIT:COLUMN."
        ),
    ],
    model: Annotated[
        str, typer.Option(help="builtin:en-pt, builtin:pt-en, a Hugging Face name, or a directory.")
    ] = "builtin:en-pt",
    target: Annotated[
        str | None, typer.Option(help="Translations to diagnose; without it the model translates.")
    ] = None,
    reference: Annotated[
        list[str] | None, typer.Option(help="Reference translations, for BLEU and chrF; may be given several times.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory for results, report and figures; rerun the same command to resume."),
    ] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="Include the matrix of words x target tokens.")] = False,
    operator: Annotated[Operator, typer.Option(help="How a word is taken away.")] = "unknown",
    beams: Annotated[int, typer.Option(min=1, help="Beam size of the model's translations; 1: greedy.")] = 1,
    source_language: SourceLanguage = None,
    target_language: TargetLanguage = None,
    prefix: Prefix = None,
    seed: Seed = 0,
    device: Device = "cpu",
    batch_size: BatchSize = 32,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Finds the source words that a translation left out, and whether the encoder or the decoder lost them."""
    from nmt_ib.cli.show import show_diagnosis
    from nmt_ib.studies.under_translation.diagnose import diagnose as study

    set_threads(threads)
    found = study(
        model,
        source,
        target,
        references=reference,
        operator=operator,
        beams=beams,
        matrix=matrix,
        source_language=source_language,
        target_language=target_language,
        prefix=prefix,
        seed=seed,
        batch_size=batch_size,
        device=device,
        progress=True,
        out=out,
    )
    present(found, show_diagnosis, out, as_json=as_json)
