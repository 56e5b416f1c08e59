"""Which source words did a translation leave out, and where were they lost? The public question."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.data.corpus import Corpus, Source, check_parallel, open_corpus
from nmt_ib.data.text import references as own_references
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import resolve_translation_model
from nmt_ib.progress import progress_bar
from nmt_ib.protocols import TranslationModel
from nmt_ib.requests import check_count, check_number
from nmt_ib.results.diagnosis import Diagnosis, SentenceDiagnosis
from nmt_ib.runs.directory import Run, open_run, stored_document
from nmt_ib.runs.loading import write_report
from nmt_ib.studies.under_translation.calibration import Reference
from nmt_ib.studies.under_translation.stored_references import MAX_SENTENCES, reference_for
from nmt_ib.studies.under_translation.study import CHUNK_LINES, UnderTranslation
from nmt_ib.studies.under_translation.summary import summarize

REFERENCE = "reference.json"
BYTES_PER_CHARACTER = 100  # what a run and its report take for each character of the source, measured on news


def diagnose(
    model: TranslationModel | str | Path,
    sources: Source,
    targets: Source | None = None,
    *,
    references: Sequence[Source] | None = None,
    operator: str = "unknown",
    beams: int = 1,
    matrix: bool = False,
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    seed: int = 0,
    batch_size: int = 32,
    device: str | torch.device | None = None,
    progress: bool = False,
    out: str | Path | None = None,
) -> Diagnosis:
    """Which source words were left untranslated, and where they were lost.

    Args:
        model: A translation model, or its name as `load_translation_model` takes it.
        sources: Sentences, or the name of a text as `nmt-ib diagnose` takes it.
        targets: Translations to diagnose; None: the model translates first.
        references: Sets of reference translations, for BLEU and chrF; None: those of a sacrebleu test set, if any.
        operator: How a word is taken away: "unknown", "noise" or "delete".
        beams: Beam size of the model's own translations; 1: greedy.
        matrix: Whether to include the words x tokens matrix of each sentence.
        source_language: For a model given by name: source language as its tokenizer names it.
        target_language: The same for the target language.
        prefix: For a T5 model given by name: the task prefix.
        seed: Seed of all noise.
        batch_size: Copies of sentences that go through the model at once; does not affect results beyond rounding.
        device: For a model given by name: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show progress bars.
        out: Run directory for results, report and figures; an interrupted run is resumed there.

    Returns:
        One diagnosis a sentence, in order, with a summary. With `out` the sentences stay on disk.

    Raises:
        RequestError: A text or the model cannot be read, numbers of lines differ, a setting is out of range, or the
            directory holds something else.
    """
    method = ContributionMethod(operator=operator, seed=seed)
    check_number("seed", seed)
    check_count("beams", beams)
    check_count("batch_size", batch_size)
    corpora = _corpora(sources, targets, references)
    if out is not None:
        Run(out).check()
        _check_space(Path(out), corpora["sources"], matrix)
    loaded = resolve_translation_model(
        model, source_language=source_language, target_language=target_language, prefix=prefix, device=device
    )
    reference = _reference(loaded, method, corpora["sources"], batch_size, out, progress)
    study = UnderTranslation(loaded, reference, method, beams, batch_size, matrix)
    signature = study.signature({role: corpus.fingerprint for role, corpus in corpora.items()})
    with open_run(out, signature, {REFERENCE: reference.to_dict()}) as run:
        _fill(run, study, corpora["sources"], corpora.get("targets"), progress)
        sentences = run.sentences(SentenceDiagnosis)
        summary = summarize(sentences, [list(corpora[role]) for role in corpora if role.startswith("reference ")])
        run.finish(summary)
        found = Diagnosis(sentences, summary, signature.to_dict())
        if out is not None:
            write_report(run.path, found)
    return found


def _corpora(sources: Source, targets: Source | None, references: Sequence[Source] | None) -> dict[str, Corpus]:
    if references is None:
        references = own_references(str(sources)) if isinstance(sources, (str, Path)) else []
    given: dict[str, Source] = {"sources": sources} | ({} if targets is None else {"targets": targets})
    given |= {f"reference {number}": text for number, text in enumerate(references, start=1)}
    corpora = {role: open_corpus(text, role) for role, text in given.items()}
    check_parallel(list(corpora.values()))
    return corpora


def _check_space(out: Path, sources: Corpus, matrix: bool) -> None:
    folder = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.is_dir())
    needed = sources.characters * BYTES_PER_CHARACTER * (2 if matrix else 1)
    free = shutil.disk_usage(folder).free + sum(file.stat().st_size for file in out.glob("*.*"))  # a run to resume
    if free < needed:
        raise RequestError(f"no disk space for {out}: about {needed:,} bytes are needed, {free:,} are free")


def _reference(
    model: TranslationModel,
    method: ContributionMethod,
    sources: Corpus,
    batch_size: int,
    out: str | Path | None,
    progress: bool,
) -> Reference:
    """The reference that an interrupted run began with, else the model's."""
    if out is not None and Run(out).signature and (stored := stored_document(Path(out) / REFERENCE)):
        return Reference.from_dict(stored)
    total = min(len(sources), MAX_SENTENCES)
    with progress_bar("calibrating (once for each model)", total, shown=progress) as advance:
        return reference_for(model, method, sources, batch_size, advance)


def _fill(run: Run, study: UnderTranslation, sources: Corpus, targets: Corpus | None, progress: bool) -> None:
    """Diagnoses the lines that the run does not have yet."""
    done = run.resume(CHUNK_LINES, len(sources))
    forced = None if targets is None else targets.chunks(done, CHUNK_LINES)
    with progress_bar("diagnosing", len(sources), done, shown=progress) as advance:
        for lines in sources.chunks(done, CHUNK_LINES):
            run.append(study.chunk(done, lines, None if forced is None else next(forced)))
            done += len(lines)
            advance(len(lines))
