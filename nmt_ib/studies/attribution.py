"""What is each piece of a sentence worth to a model?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nmt_ib.attribution.answers import given_answer, own_answers
from nmt_ib.attribution.by_name import attribution_method
from nmt_ib.attribution.statistics_measurement import statistics_for
from nmt_ib.catalog import ANSWERLESS
from nmt_ib.data.classification import read_sentences
from nmt_ib.data.corpus import Corpus, Source, open_corpus
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import resolve_model
from nmt_ib.progress import progress_bar
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import read_source, storable
from nmt_ib.requests import check_count, check_number
from nmt_ib.results.attribution import Attribution, Attributions, AttributionSummary
from nmt_ib.runs.directory import Run, open_run
from nmt_ib.runs.loading import write_report
from nmt_ib.signature import RunSignature, fingerprint_lines
from nmt_ib.types import Sentence

CHUNK_LINES = 50  # lines that are explained as a whole: a run is resumed at a multiple of it
Target = str | int


def attribute(
    model: EncoderModel | str | Path,
    sources: Source,
    targets: str | Path | Sequence[Target] | None = None,
    *,
    method: str = "sigma",
    corpus: Source | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    seed: int = 0,
    batch_size: int = 32,
    device: str | torch.device | None = None,
    progress: bool = False,
    out: str | Path | None = None,
    **settings: Any,
) -> Attributions:
    """What each piece of each sentence is worth to a model, by any method.

    Args:
        model: A translation model, a classifier or an encoder, or its name as `load_model` takes it.
        sources: Sentences, or the name of a text as `nmt-ib retain` takes it.
        targets: Translations to explain; labels, or their names, for a classifier; None: the model's own.
        method: A name of `nmt_ib.catalog.ATTRIBUTIONS`, or with a layer: "attention@2".
        corpus: Sentences whose embeddings and states are the prior of the noise; None: those that the package ships.
        source_language: For a model given by name: source language as its tokenizer names it.
        target_language: The same for the target language.
        prefix: For a T5 model given by name: the task prefix.
        seed: Seed of all noise.
        batch_size: Copies of sentences that go through the model at once; does not affect results beyond rounding.
        device: For a model given by name: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show a progress bar.
        out: Run directory for results and figures; an interrupted run is resumed there.
        **settings: Settings of the method's class: `layer`, `rate`, `include_special`, ...

    Returns:
        One Attribution a sentence, in order; a sentence that the model cannot read says why in `skipped`.

    Raises:
        RequestError: A text or the model cannot be read, a method, setting or target is unknown, numbers of lines
            differ, or the directory holds something else.
    """
    check_number("seed", seed)
    check_count("batch_size", batch_size)
    made: Any = attribution_method(method, seed=seed, **settings)
    if corpus is not None and not hasattr(made, "statistics"):
        raise RequestError(f"{method} draws no noise: leave corpus out")
    texts = open_corpus(sources, "sources", read=read_sentences)
    wanted = None if targets is None else _targets(targets, len(texts))
    if out is not None:
        Run(out).check()
    loaded = resolve_model(
        model, source_language=source_language, target_language=target_language, prefix=prefix, device=device
    )
    _check_answers(loaded, method, wanted)
    prior = None if corpus is None else open_corpus(corpus, "corpus")
    if prior is not None:
        made = replace(made, statistics=statistics_for(loaded, list(prior), decoder=True))
    signature = _signature(loaded, texts, wanted, prior, {"method": method, **settings}, seed)
    with open_run(out, signature) as run:
        done = run.resume(CHUNK_LINES, len(texts))
        with progress_bar("explaining", len(texts), done, shown=progress) as advance:
            for lines in texts.chunks(done, CHUNK_LINES):
                forced = None if wanted is None else wanted[done : done + len(lines)]
                run.append(list(_explained(loaded, made, lines, forced, batch_size)))
                done += len(lines)
                advance(len(lines))
        sentences = run.sentences(Attribution)
        summary = _summary(method, sentences)
        run.finish(summary)
        found = Attributions(sentences, summary, signature.to_dict())
        if out is not None:
            write_report(run.path, found)
    return found


def _targets(targets: str | Path | Sequence[Target], count: int) -> list[Target]:
    found: list[Target]
    if isinstance(targets, (str, Path)):
        found = list(open_corpus(targets, "targets", read=read_sentences))
    else:
        found = list(targets)
        for index, target in enumerate(found):
            if not isinstance(target, (str, int)):
                raise RequestError(f"targets[{index}] is {type(target).__name__}, expected a translation or a label")
    if len(found) != count:
        raise RequestError(f"{count:,} sources and {len(found):,} targets: expected the same number")
    return found


def _check_answers(model: EncoderModel, method: str, targets: list[Target] | None) -> None:
    if isinstance(model, (TranslationModel, Classifier)):
        for index, target in enumerate(targets or ()):
            if isinstance(model, TranslationModel) and not isinstance(target, str):
                raise RequestError(f"targets[{index}] is {type(target).__name__}, expected str")
    elif targets is not None or method.partition("@")[0] not in ANSWERLESS:
        raise RequestError(f"{model.name} has no answers: {method} needs a translation model or a classifier")


def _signature(
    model: EncoderModel,
    texts: Corpus,
    targets: list[Target] | None,
    prior: Corpus | None,
    settings: dict[str, Any],
    seed: int,
) -> RunSignature:
    data = {"sources": texts.fingerprint}
    if targets is not None:
        data["targets"] = fingerprint_lines(map(str, targets))
    if prior is not None:
        data["corpus"] = prior.fingerprint
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
    return RunSignature("attribute", model.name, model.fingerprint, data, {**plain, "words": model.words_by}, seed)


def _explained(
    model: EncoderModel, method: Any, texts: Sequence[str], targets: Sequence[Target] | None, batch_size: int
) -> Iterator[Attribution]:
    """One attribution a line, in order."""
    read = [read_source(model, text) for text in texts]
    usable = [index for index, (_, reason) in enumerate(read) if reason is None]
    sources = [read[index][0] for index in usable]
    answers: Sequence[Sentence | int] | None = None
    if isinstance(model, (TranslationModel, Classifier)):
        if targets is None:
            answers = own_answers(model, sources, batch_size)
        else:
            answers = [given_answer(model, targets[index]) for index in usable]
    found = dict(zip(usable, method(model, sources, answers, batch_size=batch_size) if sources else (), strict=True))
    for index, (text, (_, reason)) in enumerate(zip(texts, read, strict=True)):
        yield found.get(index) or Attribution(storable(text), "", 0, "", (), (), (), (), (), skipped=reason)


def _summary(method: str, sentences: Sequence[Attribution]) -> AttributionSummary:
    count = passes = searched = converged = 0
    for one in sentences:
        count, passes = count + 1, passes + one.passes
        searched, converged = searched + (one.converged is not None), converged + bool(one.converged)
    return AttributionSummary(method, count, passes, converged / searched if searched else None)
