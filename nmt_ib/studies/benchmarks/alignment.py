"""How well the links between words, read off each method's matrix, agree with those made by hand."""

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
    links,
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
        sources: Sentences, tokens told apart by white space.
        targets: Their translations, in the same form; the model is forced to write them.
        gold: Links of each pair, as `GoldLinks.parse` reads them.
        methods: Name -> method; one that gives no matrix is refused.
        seed: Seed of the random scores and of the intervals.
        batch_size: Sentences that go through the model at once; changes no result but time.
        done: A benchmark that was broken off; the methods in it are not run again.
        after_method: Called with the table so far after each method.

    Returns:
        One row a method, convention, rule and metric; settings are named "output, intersection" and so on.

    Raises:
        RequestError: The model does not translate, or no pair can be analysed.
    """
    if not isinstance(model, TranslationModel):
        raise RequestError(f"{model.name} does not translate: alignments need a translation model")
    gold_links = [GoldLinks.parse(line) for line in gold]
    if not len(sources) == len(targets) == len(gold_links):
        raise RequestError(
            f"sources, targets and gold links differ in number: {len(sources)}, {len(targets)}, {len(gold_links)}"
        )
    lines = read_pairs(model, sources, targets)
    pairs = zip(lines.sources, lines.targets or [], [gold_links[index] for index in lines.indices], strict=True)
    triples = [triple for triple in pairs if len(triple[1]) > 1]  # an empty translation is `</s>` alone
    if not triples:
        raise RequestError("no pair can be analysed: all are empty, or longer than the model reads")
    read, forced, links_by_hand = (list(column) for column in zip(*triples, strict=True))
    table = Benchmark((), len(triples), sum(len(line.sure) for line in links_by_hand))
    for name, method in {"random": RandomScores(seed), **methods}.items():
        rows = done.of(name) if done is not None else ()
        if not rows:
            begin = time.perf_counter()
            found = method(model, read, forced, batch_size=batch_size)
            rows = alignment_rows(name, found, links_by_hand, time.perf_counter() - begin, seed)
        table = Benchmark((*table.rows, *rows), table.sentences, table.answers)
        after_method(table)
    return table


def alignment_rows(
    name: str, attributions: Sequence[Attribution], gold: Sequence[GoldLinks], seconds: float, seed: int = 0
) -> tuple[BenchmarkRow, ...]:
    """The rows of one method.

    Args:
        name: Its name.
        attributions: One a pair.
        gold: Links by hand.
        seconds: What all of it took.
        seed: Seed of the intervals.

    Returns:
        One row a convention, rule and metric.
    """
    count = len(attributions)
    passes = sum(found.passes for found in attributions) / count
    rows = []
    for convention in CONVENTIONS:
        matrices = [token_matrix(found, convention) for found in attributions]
        for rule in RULES:
            counts = [count_links(links(matrix, rule), line) for matrix, line in zip(matrices, gold, strict=True)]
            for metric, figure in _figures(counts, seed).items():
                cost = (passes, seconds / count)
                rows.append(BenchmarkRow(name, metric, f"{convention}, {rule}", figure.value, *figure.interval, *cost))
    return tuple(rows)


def _figures(counts: Sequence[LinkCounts], seed: int) -> dict[str, Estimate]:
    shares = [count.shares for count in counts]
    return {
        name: ratio([pair[name][0] for pair in shares], [pair[name][1] for pair in shares], seed) for name in shares[0]
    }
