"""How faithful attribution methods are to a model, and what they cost."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from nmt_ib.attribution.answers import given_answer, own_answers
from nmt_ib.attribution.random_scores import RandomScores
from nmt_ib.attribution.statistics import statistics_for
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.curves import DegradationCurve, RankedAnswer
from nmt_ib.faithfulness.degradation import Degradation
from nmt_ib.faithfulness.intervals import ratio
from nmt_ib.protocols import Attributor, Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import read_pairs
from nmt_ib.requests import listed
from nmt_ib.results.attribution import Attribution
from nmt_ib.results.benchmark import Benchmark, BenchmarkRow
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, Target

RANDOM = "random"
# Metric -> what is added up over the answers of a corpus, and what it is divided by. The area is divided by the mean
# fall of p(y): the fall of a single answer can be nearly 0.
METRICS: dict[str, tuple[Callable[[DegradationCurve], float], Callable[[DegradationCurve], float]]] = {
    "degradation": (lambda curve: curve.area, lambda curve: curve.range),
    "comprehensiveness": (lambda curve: curve.aopc_comprehensiveness, lambda _: 1.0),
    "sufficiency": (lambda curve: curve.aopc_sufficiency, lambda _: 1.0),
}


@dataclass(frozen=True)
class Questions:
    """What a model is asked about a corpus.

    Attributes:
        sources: Sentences that can be analysed.
        targets: Their translations, or labels.
        tokens: Which tokens of each translation are asked for; (0,) for a label.
    """

    sources: tuple[Sentence, ...]
    targets: tuple[Target, ...]
    tokens: tuple[tuple[int, ...], ...]

    @property
    def answers(self) -> int:
        """Number of tokens that are asked for."""
        return sum(map(len, self.tokens))

    def ranked(self, attributions: Sequence[Attribution]) -> list[list[RankedAnswer]]:
        """For each sentence its answers, with the words' scores for each: their column, where there is a matrix.

        Args:
            attributions: One a sentence.

        Returns:
            One list a sentence.
        """
        rows = zip(self.sources, self.targets, self.tokens, attributions, strict=True)
        return [
            [RankedAnswer(source, target, _scores(found, token), token) for token in tokens]
            for source, target, tokens, found in rows
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
        sources: Sentences; those without words or longer than the model reads are left out.
        methods: Name -> method.
        targets: Translations, or names or numbers of labels; None: what the model itself translates or predicts.
        operators: How words are taken away; see `Degradation`.
        tokens: Target tokens of each translation that are asked for, drawn at random; not read for classifiers.
        seed: Seed of the tokens, of the random scores, of noise and of the intervals.
        batch_size: Sentences that go through the model at once; changes no result but time.
        done: A benchmark that was broken off; the methods in it are not run again.
        after_method: Called with the table so far after each method.

    Returns:
        One row a method, operator and metric.
    """
    questions = ask_about(model, sources, targets, tokens=tokens, seed=seed, batch_size=batch_size)
    table = Benchmark((), len(questions.sources), questions.answers)
    for name, method in {RANDOM: RandomScores(seed), **_with_statistics(model, methods)}.items():
        rows = done.of(name) if done is not None else ()
        if not rows:
            rows = _rows(model, questions, name, method, [Degradation(kind, seed) for kind in operators], batch_size)
        table = Benchmark((*table.rows, *rows), table.sentences, table.answers)
        after_method(table)
    return table


def _with_statistics(model: EncoderModel, methods: Mapping[str, Attributor]) -> dict[str, Attributor]:
    """The methods, those that need statistics of a corpus with the same: measured once, outside of what is timed."""
    wanting: dict[str, Any] = {
        name: method for name, method in methods.items() if getattr(method, "statistics", ...) is None
    }
    statistics = statistics_for(model, decoder=True) if wanting else None
    return {**methods, **{name: replace(method, statistics=statistics) for name, method in wanting.items()}}


def ask_about(
    model: EncoderModel,
    sources: Iterable[str],
    targets: Iterable[str | int] | None = None,
    *,
    tokens: int = 3,
    seed: int = 0,
    batch_size: int = 32,
) -> Questions:
    """The questions of a benchmark; see `benchmark_attribution`.

    Args:
        model: A translation model or a classifier.
        sources: Sentences.
        targets: Translations or labels; None: the model's own.
        tokens: Target tokens of each translation.
        seed: Seed of their choice.
        batch_size: Sentences at once.

    Returns:
        At least one question.

    Raises:
        RequestError: The model neither translates nor classifies, or no sentence can be analysed.
    """
    if not isinstance(model, (TranslationModel, Classifier)):
        raise RequestError(f"{model.name} gives no probabilities: expected a translation model or a classifier")
    texts = list(sources)
    given = None if targets is None else listed(targets, "targets", object)
    if given is not None and len(given) != len(texts):
        raise RequestError(f"{len(texts)} sentences need as many targets, not {len(given)}")
    read = read_pairs(model, texts)
    if not read.sources:
        raise RequestError("no sentence can be analysed: all are empty, or longer than the model reads")
    if given is None:
        answers = own_answers(model, read.sources, batch_size)
    else:
        answers = [given_answer(model, given[index]) for index in read.indices]
    chosen = tuple(chosen_tokens(target, tokens, seed) for target in answers)
    return Questions(tuple(read.sources), tuple(answers), chosen)


def chosen_tokens(target: Target, count: int, seed: int = 0) -> tuple[int, ...]:
    """Which tokens of a translation are asked for.

    Args:
        target: A translation, or a label.
        count: How many, where there are as many.
        seed: Seed of the draw, which depends on it and on the translation alone.

    Returns:
        Their places, `</s>` left out but where it stands alone; (0,) for a label.
    """
    if isinstance(target, int) or len(target) < 2:
        return (0,)
    order = torch.randperm(len(target) - 1, generator=sentence_generator(seed, target.text))
    return tuple(sorted(order[:count].tolist()))


def _scores(attribution: Attribution, token: int) -> tuple[float, ...]:
    if attribution.matrix is None:
        return attribution.word_scores
    return tuple(row[token] for row in attribution.matrix)


def _rows(
    model: EncoderModel,
    questions: Questions,
    name: str,
    method: Attributor,
    operators: Sequence[Degradation],
    batch_size: int,
) -> tuple[BenchmarkRow, ...]:
    begin = time.perf_counter()
    attributions = method(model, questions.sources, questions.targets, batch_size=batch_size)  # type: ignore[arg-type]
    seconds = (time.perf_counter() - begin) / len(attributions)
    passes = sum(found.passes for found in attributions) / len(attributions)
    ranked = questions.ranked(attributions)
    rows = []
    for operator in operators:
        curves = operator(model, [answer for answers in ranked for answer in answers], batch_size=batch_size)
        rest = iter(curves)
        grouped = [[next(rest) for _ in answers] for answers in ranked]
        for metric, parts in METRICS.items():
            above, below = ([sum(map(part, group)) for group in grouped] for part in parts)
            found = ratio(above, below, operator.seed)
            rows.append(BenchmarkRow(name, metric, operator.operator, found.value, *found.interval, passes, seconds))
    return tuple(rows)
