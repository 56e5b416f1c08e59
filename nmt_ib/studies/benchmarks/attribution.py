"""Benchmark of the faithfulness and cost of attribution methods."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from nmt_ib.attribution.answers import given_answer, own_answers
from nmt_ib.attribution.random_scores import RandomScores
from nmt_ib.attribution.statistics_measurement import statistics_for
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.curves import DegradationCurve, RankedAnswer
from nmt_ib.faithfulness.degradation import Degradation
from nmt_ib.faithfulness.intervals import ratio
from nmt_ib.protocols import Attributor, Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import read_pairs
from nmt_ib.results.attribution import Attribution
from nmt_ib.results.benchmark import Benchmark, BenchmarkRow
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, Target

RANDOM = "random"
# Metric -> numerator and denominator, each summed over the answers of a corpus. The area is divided by the drop of p(y)
# over the whole corpus, because the drop of a single answer can be nearly 0.
METRICS: dict[str, tuple[Callable[[DegradationCurve], float], Callable[[DegradationCurve], float]]] = {
    "degradation": (lambda curve: curve.area, lambda curve: curve.range),
    "comprehensiveness": (lambda curve: curve.aopc_comprehensiveness, lambda _: 1.0),
    "sufficiency": (lambda curve: curve.aopc_sufficiency, lambda _: 1.0),
}


@dataclass(frozen=True)
class EvaluationSet:
    """Sentences and the answers of a model on which methods are evaluated.

    Attributes:
        sources: Sentences that the model can read.
        targets: Their translations, or numbers of labels.
        tokens: Indices of the target tokens of each translation that are explained; (0,) for a label.
    """

    sources: tuple[Sentence, ...]
    targets: tuple[Target, ...]
    tokens: tuple[tuple[int, ...], ...]

    @property
    def answers(self) -> int:
        """Number of answers: explained target tokens, or labels."""
        return sum(map(len, self.tokens))

    def ranked_answers(self, attributions: Sequence[Attribution]) -> list[list[RankedAnswer]]:
        """The answers of each sentence with the scores of its words: the answer's column if there is a matrix.

        Args:
            attributions: One per sentence.

        Returns:
            One list per sentence.
        """
        rows = zip(self.sources, self.targets, self.tokens, attributions, strict=True)
        return [
            [RankedAnswer(source, target, _word_scores(attribution, token), token) for token in tokens]
            for source, target, tokens, attribution in rows
        ]


def benchmark_attribution(
    model: EncoderModel,
    sources: Iterable[str],
    methods: Mapping[str, Attributor],
    targets: Iterable[str | int] | None = None,
    *,
    operators: Sequence[str] = ("mask",),
    tokens: int = 3,
    seed: int = 0,
    batch_size: int = 32,
    done: Benchmark | None = None,
    after_method: Callable[[Benchmark], Any] = lambda _: None,
) -> Benchmark:
    """Degradation, comprehensiveness and sufficiency of each method, and of random scores.

    Args:
        model: A translation model or a classifier.
        sources: Sentences; those that the model cannot read are left out.
        methods: Name -> method.
        targets: Translations, or names or numbers of labels; None: the model's own.
        operators: Operators that remove words; see `Degradation`.
        tokens: Number of target tokens of each translation that are explained, drawn at random; not used for
            classifiers.
        seed: Seed of the choice of tokens, of the random scores, of noise and of the intervals.
        batch_size: Number of sentences per forward pass; affects the times only.
        done: An interrupted benchmark, whose methods are not run again.
        after_method: Called with the table so far after each method.

    Returns:
        One row per method, operator and metric.
    """
    examples = evaluation_set(model, sources, targets, tokens=tokens, seed=seed, batch_size=batch_size)
    table = Benchmark((), len(examples.sources), examples.answers)
    for name, method in {RANDOM: RandomScores(seed), **_with_statistics(model, methods)}.items():
        rows = done.of(name) if done is not None else ()
        if not rows:
            rows = _rows(model, examples, name, method, [Degradation(kind, seed) for kind in operators], batch_size)
        table = Benchmark((*table.rows, *rows), table.sentences, table.answers)
        after_method(table)
    return table


def _with_statistics(model: EncoderModel, methods: Mapping[str, Attributor]) -> dict[str, Attributor]:
    """The methods, with the same corpus statistics for all that need them: measured once and not timed."""
    incomplete: dict[str, Any] = {
        name: method for name, method in methods.items() if getattr(method, "statistics", ...) is None
    }
    statistics = statistics_for(model, decoder=True) if incomplete else None
    return {**methods, **{name: replace(method, statistics=statistics) for name, method in incomplete.items()}}


def evaluation_set(
    model: EncoderModel,
    sources: Iterable[str],
    targets: Iterable[str | int] | None = None,
    *,
    tokens: int = 3,
    seed: int = 0,
    batch_size: int = 32,
) -> EvaluationSet:
    """The sentences and answers of a benchmark; see `benchmark_attribution`.

    Args:
        model: A translation model or a classifier.
        sources: Sentences.
        targets: Translations or labels; None: the model's own.
        tokens: Number of target tokens of each translation that are explained.
        seed: Seed of their choice.
        batch_size: Number of sentences per forward pass.

    Returns:
        At least one sentence with its answers.

    Raises:
        RequestError: The model neither translates nor classifies, it can read no sentence, or sources and targets
            differ in number.
    """
    if not isinstance(model, (TranslationModel, Classifier)):
        raise RequestError(f"{model.name} gives no probabilities: expected a translation model or a classifier")
    texts = list(sources)
    chosen = None if targets is None else list(targets)
    if chosen is not None and len(chosen) != len(texts):
        raise RequestError(f"{len(texts)} sentences need as many targets, not {len(chosen)}")
    read = read_pairs(model, texts)
    if not read.sources:
        raise RequestError("the model can read no sentence: all are empty or too long")
    if chosen is None:
        answers = own_answers(model, read.sources, batch_size)
    else:
        answers = [given_answer(model, chosen[index]) for index in read.indices]
    explained = tuple(chosen_tokens(target, tokens, seed) for target in answers)
    return EvaluationSet(tuple(read.sources), tuple(answers), explained)


def chosen_tokens(target: Target, count: int, seed: int = 0) -> tuple[int, ...]:
    """Indices of the target tokens that are explained.

    Args:
        target: A translation, or the number of a label.
        count: Maximum number of tokens.
        seed: Seed of the choice, which depends on it and on the translation only.

    Returns:
        Ascending indices without that of `</s>`, unless it is the only token; (0,) for a label.
    """
    if isinstance(target, int) or len(target) < 2:
        return (0,)
    order = torch.randperm(len(target) - 1, generator=sentence_generator(seed, target.text))
    return tuple(sorted(order[:count].tolist()))


def _word_scores(attribution: Attribution, token: int) -> tuple[float, ...]:
    if attribution.matrix is None:
        return attribution.word_scores
    return tuple(row[token] for row in attribution.matrix)


def _rows(
    model: EncoderModel,
    examples: EvaluationSet,
    name: str,
    method: Attributor,
    operators: Sequence[Degradation],
    batch_size: int,
) -> tuple[BenchmarkRow, ...]:
    start = time.perf_counter()
    attributions = method(model, examples.sources, examples.targets, batch_size=batch_size)  # type: ignore[arg-type]
    seconds = (time.perf_counter() - start) / len(attributions)
    passes = sum(attribution.passes for attribution in attributions) / len(attributions)
    ranked = examples.ranked_answers(attributions)
    rows = []
    for operator in operators:
        curves = operator(model, [answer for answers in ranked for answer in answers], batch_size=batch_size)
        remaining = iter(curves)
        by_sentence = [[next(remaining) for _ in answers] for answers in ranked]
        for metric, terms in METRICS.items():
            numerators, denominators = ([sum(map(term, group)) for group in by_sentence] for term in terms)
            result = ratio(numerators, denominators, operator.seed)
            rows.append(BenchmarkRow(name, metric, operator.operator, result.value, *result.interval, passes, seconds))
    return tuple(rows)
