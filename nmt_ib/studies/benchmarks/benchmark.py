"""Attribution methods and estimators compared with each other: the public questions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from nmt_ib.attribution.by_name import attribution_method
from nmt_ib.data.classification import read_sentences
from nmt_ib.data.corpus import Source, check_parallel, open_corpus, open_parallel
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.alignment import GoldLinks
from nmt_ib.faithfulness.degradation import Degradation
from nmt_ib.models.loading import resolve_model, resolve_translation_model
from nmt_ib.progress import progress_bar
from nmt_ib.protocols import Attributor, EncoderModel, TranslationModel
from nmt_ib.requests import check_count, check_number
from nmt_ib.results.benchmark import Benchmark
from nmt_ib.results.estimator_benchmark import EstimatorBenchmark
from nmt_ib.runs.directory import SUMMARY, Run, open_run, read_document
from nmt_ib.runs.loading import write_report
from nmt_ib.signature import RunSignature
from nmt_ib.studies.benchmarks.alignment import benchmark_alignment
from nmt_ib.studies.benchmarks.attribution import benchmark_attribution
from nmt_ib.studies.benchmarks.mutual_information import benchmark_estimators, chosen_tasks
from nmt_ib.studies.benchmarks.mutual_information import signature_of as signature_of_estimators
from nmt_ib.studies.benchmarks.pair_estimators import chosen_estimators


def attribution(
    model: EncoderModel | str | Path,
    sources: Source,
    targets: Source | None = None,
    *,
    methods: Sequence[str],
    operators: Sequence[str] = ("mask",),
    max_sentences: int = 50,
    tokens: int = 3,
    network: str | Path | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    seed: int = 0,
    batch_size: int = 32,
    device: str | torch.device | None = None,
    progress: bool = False,
    out: str | Path | None = None,
) -> Benchmark:
    """How much an answer suffers when the words that a method ranks high, or low, are taken away.

    Args:
        model: A translation model or a classifier, or its name as `load_model` takes it.
        sources: Sentences, or the name of a text or of a table of labels and sentences.
        targets: Translations; None: the model's own.
        methods: Names of attribution methods; "attention@2" is attention at layer 2. Random scores are always added.
        operators: How words are taken away: "mask", "delete", "noise".
        max_sentences: Only the first so many sentences.
        tokens: Number of target tokens of each translation, drawn at random.
        network: For the method "readout": directory of its network.
        source_language: For a model given by name: source language as its tokenizer names it.
        target_language: The same for the target language.
        prefix: For a T5 model given by name: the task prefix.
        seed: Seed of everything random.
        batch_size: Copies of sentences that go through the model at once; does not affect results beyond rounding.
        device: For a model given by name: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show a progress bar.
        out: Run directory for the table; an interrupted benchmark is resumed there, method by method.

    Returns:
        One row a method, operator and metric.

    Raises:
        RequestError: A text or the model cannot be read, a method or operator is unknown, numbers of lines differ, a
            setting is out of range, or the directory holds something else.
    """
    _check(seed, batch_size=batch_size, max_sentences=max_sentences, tokens=tokens)
    chosen = _methods(methods, seed, network)
    kinds = [Degradation(kind).operator for kind in operators]
    given = {"sources": sources} | ({} if targets is None else {"targets": targets})
    texts = {
        role: open_corpus(text, role, max_sentences=max_sentences, read=read_sentences) for role, text in given.items()
    }
    check_parallel(list(texts.values()))
    if out is not None:
        Run(out).check()
    loaded = resolve_model(
        model, source_language=source_language, target_language=target_language, prefix=prefix, device=device
    )
    settings = {"methods": list(chosen), "operators": kinds, "sentences": max_sentences, "tokens": tokens}
    if network is not None:  # another network gives other rows
        files = sorted(Path(network).glob("network.*"))
        settings["readout"] = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    data = {role: text.fingerprint for role, text in texts.items()}
    signature = _signature("benchmark attribution", loaded, data, settings, seed)

    def measure(done: Benchmark | None, after: Callable[[Benchmark], Any]) -> Benchmark:
        return benchmark_attribution(
            loaded, texts["sources"], chosen, texts.get("targets"), operators=kinds, tokens=tokens, seed=seed,
            batch_size=batch_size, done=done, after_method=after,
        )  # fmt: skip

    return _table(measure, signature, len(chosen) + 1, out, progress)


def alignment(
    model: TranslationModel | str | Path,
    sources: Source,
    targets: Source,
    links: Source,
    *,
    methods: Sequence[str],
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    seed: int = 0,
    batch_size: int = 32,
    device: str | torch.device | None = None,
    progress: bool = False,
    out: str | Path | None = None,
) -> Benchmark:
    """How well word links read off a method's matrix agree with manual links.

    Args:
        model: A translation model, or its name as `load_translation_model` takes it.
        sources: Tokenised sentences with blanks between tokens, or the name of a text of them.
        targets: Their translations, in the same form.
        links: Manual links of each pair: "3-4" sure, "3p4" possible, numbered from 0.
        methods: Names of attribution methods; "attention@2" is attention at layer 2. Random scores are always added.
        source_language: For a model given by name: source language as its tokenizer names it.
        target_language: The same for the target language.
        prefix: For a T5 model given by name: the task prefix.
        seed: Seed of everything random.
        batch_size: Copies of sentences that go through the model at once; does not affect results beyond rounding.
        device: For a model given by name: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show a progress bar.
        out: Run directory for the table; an interrupted benchmark is resumed there, method by method.

    Returns:
        One row a method, rule and metric.

    Raises:
        RequestError: A text, a link or the model cannot be read, a method is unknown, numbers of lines differ, or the
            directory holds something else.
    """
    _check(seed, batch_size=batch_size)
    chosen = _methods(methods, seed, None)
    texts = open_parallel({"sources": sources, "targets": targets, "links": links})
    for line in texts["links"]:
        GoldLinks.parse(line)
    if out is not None:
        Run(out).check()
    loaded = resolve_translation_model(
        model, source_language=source_language, target_language=target_language, prefix=prefix, device=device
    )
    data = {role: text.fingerprint for role, text in texts.items()}
    signature = _signature("benchmark alignment", loaded, data, {"methods": list(chosen)}, seed)

    def measure(done: Benchmark | None, after: Callable[[Benchmark], Any]) -> Benchmark:
        return benchmark_alignment(
            loaded, list(texts["sources"]), list(texts["targets"]), list(texts["links"]), chosen, seed=seed,
            batch_size=batch_size, done=done, after_method=after,
        )  # fmt: skip

    return _table(measure, signature, len(chosen) + 1, out, progress)


def mi(
    estimators: Sequence[str],
    tasks: Sequence[str] = ("all",),
    *,
    samples: int = 2000,
    repetitions: int = 3,
    seed: int = 0,
    progress: bool = False,
    out: str | Path | None = None,
) -> EstimatorBenchmark:
    """Bias and spread of estimators of mutual information on tasks whose exact value is known.

    Args:
        estimators: Names of estimators, or "all" alone.
        tasks: Names of tasks, or "all" alone.
        samples: Number of pairs in each sample, at least 10.
        repetitions: Number of samples of each task.
        seed: Seed of the first sample; the next ones follow.
        progress: Whether to show a progress bar.
        out: Run directory for the table and its figure; an interrupted benchmark is resumed there.

    Returns:
        One run a task, estimator and sample.

    Raises:
        RequestError: An estimator or a task is unknown, a setting is out of range, or the directory holds something
            else.
    """
    check_number("seed", seed)
    check_count("samples", samples, 10)
    check_count("repetitions", repetitions)
    chosen, truths = chosen_estimators(list(estimators)), chosen_tasks(list(tasks))
    signature = signature_of_estimators(chosen, truths, samples=samples, repetitions=repetitions, seed=seed)
    with open_run(out, signature) as run:
        if run.finished:
            return read_document(run.path / SUMMARY, EstimatorBenchmark)
        done = run.draft(EstimatorBenchmark)
        with progress_bar("estimators and tasks", len(chosen) * len(truths), shown=progress) as advance:

            def after(table: EstimatorBenchmark) -> None:
                if done is None or len(table) > len(done):
                    run.write_draft(table)
                advance(1)

            found = benchmark_estimators(
                chosen, truths, samples=samples, repetitions=repetitions, seed=seed, done=done, after_estimator=after
            )
        found = replace(found, signature=signature.to_dict())
        run.finish(found)
        if out is not None:
            write_report(run.path, found)
    return found


def _check(seed: int, **counts: int) -> None:
    check_number("seed", seed)
    for name, value in counts.items():
        check_count(name, value)


def _methods(names: Sequence[str], seed: int, network: str | Path | None) -> dict[str, Attributor]:
    found = {
        name: attribution_method(name, seed=seed, **({"network": network} if name == "readout" and network else {}))
        for name in names
        if name != "random"
    }
    if not found:
        raise RequestError("no method is named: give some, for example gradient and attention")
    return found


def _signature(
    command: str, model: EncoderModel, data: dict[str, str], settings: dict[str, Any], seed: int
) -> RunSignature:
    return RunSignature(command, model.name, model.fingerprint, data, {**settings, "words_by": model.words_by}, seed)


def _table(
    measure: Callable[[Benchmark | None, Callable[[Benchmark], Any]], Benchmark],
    signature: RunSignature,
    methods: int,
    out: str | Path | None,
    progress: bool,
) -> Benchmark:
    """Measures the methods that the run does not have yet, and writes the table down after each of them."""
    with open_run(out, signature) as run:
        if run.finished:
            return read_document(run.path / SUMMARY, Benchmark)
        with progress_bar("methods", methods, shown=progress) as advance:

            def after(table: Benchmark) -> None:
                run.write_draft(table)
                advance(1)

            found = replace(measure(run.draft(Benchmark), after), signature=signature.to_dict())
        run.finish(found)
    return found
