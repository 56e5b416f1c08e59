"""Benchmark of attribution methods on manual word alignments."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nmt_ib.attribution.random_scores import RandomScores
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.alignment import (
    CONVENTIONS,
    RULES,
    GoldLinks,
    LinkCounts,
    count_links,
    extract_links,
    token_matrix,
)
from nmt_ib.faithfulness.intervals import ratio
from nmt_ib.protocols import Attributor, TranslationModel
from nmt_ib.readability import read_pairs
from nmt_ib.results.attribution import Attribution
from nmt_ib.results.benchmark import Benchmark, BenchmarkRow
from nmt_ib.results.estimate import Estimate


def benchmark_alignment(
    model: TranslationModel,
    sources: Sequence[str],
    targets: Sequence[str],
    gold: Sequence[str],
    methods: Mapping[str, Attributor],
    *,
    seed: int = 0,
    batch_size: int = 32,
    done: Benchmark | None = None,
    after_method: Callable[[Benchmark], Any] = lambda _: None,
) -> Benchmark:
    """Alignment error rate, precision and recall of each method, under each convention and rule.

    Args:
        model: A translation model.
        sources: Sentences of whitespace-separated tokens.
        targets: Their translations, likewise; the model is forced to produce them.
        gold: Manual links of each pair; see `GoldLinks.parse`.
        methods: Name -> method, which must give a matrix.
        seed: Seed of the random scores and of the intervals.
        batch_size: Number of sentences per forward pass; affects the times only.
        done: An interrupted benchmark, whose methods are not run again.
        after_method: Called with the table so far after each method.

    Returns:
        One row per method, convention, rule and metric; the setting is "convention, rule", for example
        "output, intersection".

    Raises:
        RequestError: The model is not a translation model, no pair can be read, or numbers of lines differ.
    """
    if not isinstance(model, TranslationModel):
        raise RequestError(f"{model.name} is not a translation model, which alignments need")
    gold_links = [GoldLinks.parse(line) for line in gold]
    if not len(sources) == len(targets) == len(gold_links):
        counts = f"{len(sources)} sources, {len(targets)} targets, {len(gold_links)} lines of links"
        raise RequestError(f"expected one target and one line of links per source: {counts}")
    lines = read_pairs(model, sources, targets)
    pairs = zip(lines.sources, lines.targets or [], [gold_links[index] for index in lines.indices], strict=True)
    triples = [triple for triple in pairs if len(triple[1]) > 1]  # an empty translation is `</s>` alone
    if not triples:
        raise RequestError("the model can read no pair: all are empty or too long")
    sources_read, forced, gold_read = (list(column) for column in zip(*triples, strict=True))
    table = Benchmark((), len(triples), sum(len(line.sure) for line in gold_read))
    for name, method in {"random": RandomScores(seed), **methods}.items():
        rows = done.of(name) if done is not None else ()
        if not rows:
            start = time.perf_counter()
            attributions = method(model, sources_read, forced, batch_size=batch_size)
            rows = alignment_rows(name, attributions, gold_read, time.perf_counter() - start, seed)
        table = Benchmark((*table.rows, *rows), table.sentences, table.answers)
        after_method(table)
    return table


def alignment_rows(
    name: str, attributions: Sequence[Attribution], gold: Sequence[GoldLinks], seconds: float, seed: int = 0
) -> tuple[BenchmarkRow, ...]:
    """The rows of one method.

    Args:
        name: Name of the method.
        attributions: One per pair.
        gold: Manual links.
        seconds: Time of all attributions together.
        seed: Seed of the intervals.

    Returns:
        One row per convention, rule and metric.
    """
    count = len(attributions)
    passes = sum(attribution.passes for attribution in attributions) / count
    rows = []
    for convention in CONVENTIONS:
        matrices = [token_matrix(attribution, convention) for attribution in attributions]
        for rule in RULES:
            counts = [
                count_links(extract_links(matrix, rule), line) for matrix, line in zip(matrices, gold, strict=True)
            ]
            for metric, result in _measures(counts, seed).items():
                cost = (passes, seconds / count)
                rows.append(BenchmarkRow(name, metric, f"{convention}, {rule}", result.value, *result.interval, *cost))
    return tuple(rows)


def _measures(counts: Sequence[LinkCounts], seed: int) -> dict[str, Estimate]:
    ratios = [count.ratios for count in counts]
    return {
        name: ratio([pair[name][0] for pair in ratios], [pair[name][1] for pair in ratios], seed) for name in ratios[0]
    }
