"""`nmt-ib diagnose`: which source words were dropped, and where."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_ib.cli.run_directory import run_directory
from nmt_ib.cli.terminal import (
    BatchSize,
    Device,
    Json,
    Prefix,
    Seed,
    SourceLanguage,
    TargetLanguage,
    Threads,
    progress,
    set_threads,
)
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.attribution.contribution import ContributionMethod
    from nmt_ib.data.parallel import TextFacts
    from nmt_ib.protocols import TranslationModel
    from nmt_ib.reports.jsonfile import RunDirectory
    from nmt_ib.studies.under_translation.calibration import Reference
    from nmt_ib.studies.under_translation.diagnose import UnderTranslation

BYTES_PER_CHARACTER = 100  # what a run and its report take for each character of the source, seen on news

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
        Path | None, typer.Option(help="Run directory: results and report; a killed run goes on there.")
    ] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="Keep the matrix of words x target tokens.")] = False,
    operator: Annotated[str, typer.Option(help="How a word is taken away: unknown, noise or delete.")] = "unknown",
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
    """Tells which source words a translation left out, and whether the encoder or the decoder lost them."""
    from nmt_ib.attribution.contribution import ContributionMethod
    from nmt_ib.cli.show import show
    from nmt_ib.data.parallel import scan_parallel
    from nmt_ib.data.text import references
    from nmt_ib.models.loading import load_translation_model
    from nmt_ib.reports.jsonfile import RunDirectory
    from nmt_ib.studies.under_translation.diagnose import UnderTranslation

    method = ContributionMethod(operator=operator, seed=seed)
    against = [str(path) for path in reference or (references(source) if source.startswith("sacrebleu:") else [])]
    roles = {"sources": source} if target is None else {"sources": source, "targets": target}
    facts = scan_parallel(roles | {f"reference {number}": path for number, path in enumerate(against, start=1)})
    check_space(out, facts["sources"], matrix)
    if out is not None:
        RunDirectory(out).check(None)
    set_threads(threads)
    loaded = load_translation_model(
        model, device=device, source_language=source_language, target_language=target_language, prefix=prefix
    )
    with run_directory(out) as run:
        kept = kept_reference(run) or estimate_with_progress(loaded, method, facts["sources"], batch_size)
        study = UnderTranslation(loaded, kept, method, beams, batch_size, matrix)
        carry_out(run, study, facts, target, against)
        show(run, as_json=as_json, named=out is not None)


def check_space(out: Path | None, facts: "TextFacts", matrix: bool) -> None:
    """Refuses a run directory on a disk that could not hold the run.

    Args:
        out: The run directory, which need not exist.
        facts: Of the sources.
        matrix: Whether matrices are kept, which doubles the size.

    Raises:
        RequestError: There is too little room.
    """
    if out is None:
        return
    folder = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.is_dir())
    needed = facts.characters * BYTES_PER_CHARACTER * (2 if matrix else 1)
    free = shutil.disk_usage(folder).free + sum(file.stat().st_size for file in out.glob("*.*"))  # a run that goes on
    if free < needed:
        raise RequestError(f"no disk space for {out}: about {needed:,} bytes are needed, {free:,} are free")


def kept_reference(run: "RunDirectory") -> "Reference | None":
    """The reference that an interrupted run began with."""
    from nmt_ib.studies.under_translation.calibration import Reference

    return Reference.from_dict(run.reference) if run.reference else None


def estimate_with_progress(
    model: "TranslationModel", method: "ContributionMethod", facts: "TextFacts", batch_size: int
) -> "Reference":
    """The model's reference; a bar shows the work where it must be estimated first."""
    from nmt_ib.data.text import read_lines
    from nmt_ib.studies.under_translation.stored_references import MAX_SENTENCES, reference_for

    with progress("calibrating (once for each model)", min(facts.lines, MAX_SENTENCES)) as advance:
        return reference_for(model, method, read_lines(facts.name), batch_size, advance)


def carry_out(
    run: "RunDirectory",
    study: "UnderTranslation",
    facts: "dict[str, TextFacts]",
    target: str | None,
    references: list[str],
) -> None:
    """Does what is not yet done of a run, and writes its summary and report.

    Args:
        run: Where it is kept.
        study: What is done with each chunk of lines.
        facts: Role -> facts of each text.
        target: Translations to force, if any.
        references: Names of the reference translations.
    """
    from nmt_ib.cli.render import write_reports
    from nmt_ib.data.parallel import read_chunks
    from nmt_ib.data.text import read_lines
    from nmt_ib.studies.under_translation.diagnose import CHUNK_LINES, signature_of
    from nmt_ib.studies.under_translation.summary import summarize

    sources = facts["sources"]
    signature = signature_of(study, {role: text.fingerprint for role, text in facts.items()})
    with run.locked():
        run.check(signature.difference(run.signature) if run.signature else None)
        run.begin(signature.to_dict(), study.reference.to_dict())
        done = run.resume(CHUNK_LINES, sources.lines)
        with progress("diagnosing", sources.lines, done) as advance:
            for source_lines, target_lines in read_chunks(sources.name, target, done, CHUNK_LINES):
                run.append(study.chunk(done, source_lines, target_lines))
                done += len(source_lines)
                advance(len(source_lines))
        run.write_summary(summarize(study.model, run.sentences(), [list(read_lines(name)) for name in references]))
        write_reports(run)
