"""Bias, spread and time of estimators of mutual information on tasks with known values."""

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
    """Tasks by name.

    Args:
        names: Names of `nmt_ib.info.TASKS`, or "all" alone.

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
    """Runs each estimator on the same samples of each task.

    All tasks use the same seeds, so that tasks that differ only by maps are based on the same pairs: differences of
    estimates between them are due to the maps, not to chance.

    Args:
        estimators: Estimators by name.
        tasks: Pairs of variables with known mutual information.
        samples: Number of pairs in each sample.
        repetitions: Number of samples of each task.
        seed: Seed of the first sample; the next ones follow.
        done: An interrupted benchmark, whose runs are not repeated.
        after_estimator: Called with the table so far after each estimator of each task.

    Returns:
        One run for each task, estimator and sample. If an estimator raises RequestError, or its estimate is not finite,
        the run has no estimate, and its notes give the reason.
    """
    finished = {(run.task, run.estimator, run.seed): run for run in done or ()}
    runs: list[EstimatorRun] = []
    for task in tasks:
        for name, estimator in estimators.items():
            runs += [
                finished.get((task.name, name, sample_seed)) or _run(task, name, estimator, samples, sample_seed)
                for sample_seed in range(seed, seed + repetitions)
            ]
            after_estimator(EstimatorBenchmark(tuple(runs), samples))
    return EstimatorBenchmark(tuple(runs), samples)


def signature_of(
    estimators: Iterable[str], tasks: Iterable[Task], *, samples: int, repetitions: int, seed: int
) -> RunSignature:
    """Everything that the estimates depend on.

    Args:
        estimators: Names of the estimators.
        tasks: Pairs of variables.
        samples: Number of pairs in each sample.
        repetitions: Number of samples of each task.
        seed: Seed of the first sample.

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
