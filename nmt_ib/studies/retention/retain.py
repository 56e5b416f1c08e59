"""What does each layer of the encoder and of the decoder still know about each word? The public question."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from nmt_ib.data.classification import read_sentences
from nmt_ib.data.corpus import Corpus, Source, check_parallel, open_corpus
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import resolve_model
from nmt_ib.progress import progress_bar
from nmt_ib.protocols import EncoderModel
from nmt_ib.requests import check_count, check_number, check_reads_targets
from nmt_ib.results.retention import Retention, SentenceRetention
from nmt_ib.runs.directory import Run, open_run
from nmt_ib.runs.loading import write_report
from nmt_ib.studies.retention.study import CHUNK_LINES, RetentionStudy, study_of
from nmt_ib.studies.retention.summary import summarize_retention


def retain(
    model: EncoderModel | str | Path,
    sources: Source,
    targets: Source | None = None,
    *,
    compare: Sequence[EncoderModel | str | Path] = (),
    max_sentences: int | None = None,
    rate: float = 0.1,
    repetitions: int = 2,
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    seed: int = 0,
    batch_size: int = 32,
    device: str | torch.device | None = None,
    progress: bool = False,
    out: str | Path | None = None,
) -> Retention:
    """How many bits of each word every layer keeps.

    Args:
        model: A translation model, a classifier or an encoder, or its name as `load_model` takes it.
        sources: Sentences, or the name of a text as `nmt-ib retain` takes it.
        targets: Translations that the decoder is forced to write; None: the model's own.
        compare: Other models for the same sentences, or their names.
        max_sentences: Only the first so many sentences; None: all.
        rate: Weight of the noise's entropy; see `Sigma`. The larger, the fewer bits are kept.
        repetitions: Searches with other noise, at least 1; their spread is the method's own error.
        source_language: For models given by name: source language as their tokenizer names it.
        target_language: The same for the target language.
        prefix: For a T5 model given by name: the task prefix.
        seed: Seed of the noise.
        batch_size: Disturbed copies of sentences that go through the model at once; does not affect results beyond
            rounding.
        device: For models given by name: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show progress bars.
        out: Run directory for results, report and figures; an interrupted run is resumed there.

    Returns:
        One object a sentence, in order, with a summary. With `out` the sentences stay on disk.

    Raises:
        RequestError: A text or a model cannot be read, numbers of lines differ, a model is named twice or writes no
            targets, a setting is out of range, or the directory holds something else.
    """
    check_number("rate", rate, float)
    check_number("seed", seed)
    for name, value in (("repetitions", repetitions), ("batch_size", batch_size)):
        check_count(name, value)
    names = [str(one) if isinstance(one, (str, Path)) else getattr(one, "name", "") for one in (model, *compare)]
    if len(set(names)) < len(names):
        raise RequestError(f"a model is named twice: {', '.join(names)}")
    corpora = _corpora(sources, targets, max_sentences)
    if out is not None:
        Run(out).check()
    settings = {"source_language": source_language, "target_language": target_language, "prefix": prefix}
    models = [resolve_model(one, device=device, **settings) for one in (model, *compare)]
    for one in models if targets is not None else ():
        check_reads_targets(one)
    method = replace(RetentionStudy.method, rate=rate, seed=seed)
    lines = list(corpora["sources"])
    studies = [study_of(one, lines, method, repetitions, batch_size) for one in models]
    found, *others = [_measured(_place(out, number), study, corpora, progress) for number, study in enumerate(studies)]
    found = replace(found, compared=tuple(others))
    if out is not None:
        write_report(Path(out), found)
    return found


def _corpora(sources: Source, targets: Source | None, max_sentences: int | None) -> dict[str, Corpus]:
    if max_sentences is not None:
        check_count("max_sentences", max_sentences)
    given = {"sources": sources} | ({} if targets is None else {"targets": targets})
    corpora = {
        role: open_corpus(text, role, max_sentences=max_sentences, read=read_sentences) for role, text in given.items()
    }
    check_parallel(list(corpora.values()))
    return corpora


def _place(out: str | Path | None, number: int) -> str | Path | None:
    return Run(out).compared(number) if number and out is not None else out


def _measured(out: str | Path | None, study: RetentionStudy, corpora: dict[str, Corpus], progress: bool) -> Retention:
    """Measures the lines that the run does not have yet."""
    sources, targets = corpora["sources"], corpora.get("targets")
    signature = study.signature({role: corpus.fingerprint for role, corpus in corpora.items()})
    with open_run(out, signature) as run:
        done = run.resume(CHUNK_LINES, len(sources))
        forced = None if targets is None else targets.chunks(done, CHUNK_LINES)
        with progress_bar(f"measuring {study.model.name}", len(sources), done, shown=progress) as advance:
            for lines in sources.chunks(done, CHUNK_LINES):
                run.append(study.chunk(done, lines, None if forced is None else next(forced)))
                done += len(lines)
                advance(len(lines))
        sentences = run.sentences(SentenceRetention)
        summary = summarize_retention(study.model.name, study.layers, sentences, study.method.seed)
        run.finish(summary)
        return Retention(sentences, summary, signature.to_dict())
