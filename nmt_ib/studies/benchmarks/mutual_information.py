"""How far estimators of information are off where the truth is known, and what they cost."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nmt_ib.errors import RequestError
from nmt_ib.info.tasks import TASKS, Task
from nmt_ib.results.estimator_benchmark import EstimatorBenchmark, EstimatorRun
from nmt_ib.signature import RunSignature
from nmt_ib.studies.benchmarks.pair_estimators import PairEstimator


def chosen_tasks(names: Iterable[str]) -> list[Task]:
    """The tasks that a user named.

    Args:
        names: Names of `TASKS`; "all" alone: all of them.

    Returns:
        The tasks.

    Raises:
        RequestError: There is no name, or an unknown one.
    """
    names = list(names)
    if names == ["all"]:
        return list(TASKS.values())
    if not names:
        raise RequestError(f"no task is named; known: all, {', '.join(TASKS)}")
    for name in names:
        if name not in TASKS:
            raise RequestError(f"unknown task {name!r}; known: all, {', '.join(TASKS)}")
    return [TASKS[name] for name in names]


def benchmark_estimators(
    estimators: Mapping[str, PairEstimator],
    tasks: Iterable[Task],
    *,
    samples: int = 2000,
    repetitions: int = 3,
    seed: int = 0,
    done: EstimatorBenchmark | None = None,
    after_estimator: Callable[[EstimatorBenchmark], Any] = lambda _: None,
) -> EstimatorBenchmark:
    """Every estimator on the same samples of every task.

    The repetitions of all tasks draw from the same generators, so that tasks which differ by maps alone see the same
    pairs through them: what an estimator says of one and of the other differs by the map, not by chance.

    Args:
        estimators: Name -> estimator.
        tasks: Pairs of variables that know their information.
        samples: Pairs in each sample.
        repetitions: Samples of each task.
        seed: Of the first sample; the next ones follow.
        done: A benchmark that was broken off; what it has is not run again.
        after_estimator: Called with the table so far after each estimator of each task.

    Returns:
        One run a task, estimator and sample. An estimator that refuses a sample, or whose estimate is not finite, has a
        run without an estimate, that says why.
    """
    known = {(run.task, run.estimator, run.seed): run for run in done or ()}
    runs: list[EstimatorRun] = []
    for task in tasks:
        for name, estimator in estimators.items():
            runs += [
                known.get((task.name, name, one)) or _run(task, name, estimator, samples, one)
                for one in range(seed, seed + repetitions)
            ]
            after_estimator(EstimatorBenchmark(tuple(runs), samples))
    return EstimatorBenchmark(tuple(runs), samples)


def signature_of(
    estimators: Iterable[str], tasks: Iterable[Task], *, samples: int, repetitions: int, seed: int
) -> RunSignature:
    """What decides the estimates.

    Args:
        estimators: Names.
        tasks: Pairs of variables.
        samples: Pairs in each sample.
        repetitions: Samples of each task.
        seed: Of the first sample.

    Returns:
        The signature.
    """
    settings = {
        "estimators": list(estimators),
        "tasks": [task.name for task in tasks],
        "samples": samples,
        "repetitions": repetitions,
    }
    return RunSignature("benchmark mi", "", "", {}, settings, seed)


def _run(task: Task, name: str, estimator: PairEstimator, samples: int, seed: int) -> EstimatorRun:
    x, y = task.sample(samples, seed)
    began = time.process_time()
    try:
        found = estimator(x, y, seed)
    except RequestError as refusal:
        return EstimatorRun(task.name, task.nats, name, seed, None, time.process_time() - began, (str(refusal),))
    seconds = time.process_time() - began
    if not math.isfinite(found.nats):
        return EstimatorRun(task.name, task.nats, name, seed, None, seconds, (f"the estimate is {found.nats}",))
    return EstimatorRun(task.name, task.nats, name, seed, found.nats, seconds, found.warnings)
