"""Which estimator of mutual information can be trusted where? Twenty pairs of variables whose information is known.

Every estimator sees the same samples. Prints estimate less exact value and its standard deviation over samples, in
nats, and seconds of processor time a sample; with --out the whole table is kept as JSON and drawn. `nmt-ib benchmark
mi` does the same for tasks that you name, and goes on after it was killed.

    python recipes/benchmark_estimators.py --out runs/estimators
"""

import argparse
import statistics
from pathlib import Path

import torch

from nmt_ib.files import write_json
from nmt_ib.info.tasks import Task
from nmt_ib.reports.png.estimators import write_estimator_figure
from nmt_ib.results.estimator_benchmark import EstimatorBenchmark, EstimatorRun
from nmt_ib.studies.benchmarks.mutual_information import benchmark_estimators, chosen_tasks, signature_of
from nmt_ib.studies.benchmarks.pair_estimators import PairEstimator, chosen_estimators

# All of one dimension; then what is special about many: width, sparse dependence, heavy tails, maps.
TASKS = (
    "normal-1x1", "normal-cdf-1x1", "half-cube-1x1", "wiggly-1x1", "bimodal-1x1", "additive-uniform-0.1",
    "additive-uniform-0.75", "student-identity-1x1-1", "asinh-student-1x1-1", "swiss-roll-2x1",
    "dense-2x2", "dense-5x5", "dense-25x25", "dense-50x50", "two-pairs-3x3", "two-pairs-25x25",
    "student-identity-3x3-2", "asinh-student-identity-3x3-2", "spiral-3x3", "half-cube-25x25",
)  # fmt: skip
COLUMN = 18


def measured(estimators: dict[str, PairEstimator], tasks: list[Task], **settings: int) -> EstimatorBenchmark:
    """Tasks down, estimators across: a line as soon as it is known."""
    print(f"{'nats':30}{'exact':>6}" + "".join(f"{name:>{COLUMN}}" for name in estimators), flush=True)
    runs: list[EstimatorRun] = []
    for task in tasks:
        found = benchmark_estimators(estimators, [task], **settings)
        cells = "".join(f"{found.scores[task.name, name]!s:>{COLUMN}}" for name in estimators)
        print(f"{task.name:30}{task.nats:6.3f}{cells}", flush=True)
        runs += found
    signature = signature_of(estimators, tasks, **settings)
    return EstimatorBenchmark(tuple(runs), settings["samples"], signature.to_dict())


def sums(found: EstimatorBenchmark) -> None:
    """A figure an estimator, and what estimators warned of."""
    errors = (found.median_error_nats(name) for name in found.estimators)
    print(f"{'median of rmse (none: the worst)':36}" + "".join(f"{error:{COLUMN}.3f}" for error in errors))
    seconds = (statistics.fmean(run.seconds for run in found if run.estimator == name) for name in found.estimators)
    print(f"{'seconds a sample':36}" + "".join(f"{one:{COLUMN}.3f}" for one in seconds))
    for remark in found.remarks:
        print(f"* {remark}")


def main() -> None:
    """Measures, prints, and writes where a directory is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--estimators", default="all", help="names with commas between, or all")
    parser.add_argument("--samples", type=int, default=5000, help="pairs in each sample")
    parser.add_argument("--repetitions", type=int, default=3, help="samples of each task")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="directory for benchmark.json and estimators.png")
    parser.add_argument("--smoke", action="store_true", help="2 tasks, 100 pairs, 2 samples")
    options = parser.parse_args()
    if options.smoke:
        options.samples, options.repetitions = 100, 2
    torch.set_num_threads(options.threads)
    tasks = chosen_tasks(TASKS[:: 10 if options.smoke else 1])
    print(f"{options.repetitions} samples of {options.samples:,} pairs, {options.threads} thread(s)")
    estimators = chosen_estimators(options.estimators.split(","))
    found = measured(estimators, tasks, samples=options.samples, repetitions=options.repetitions, seed=options.seed)
    sums(found)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        write_json(options.out / "benchmark.json", found.to_dict())
        print(*write_estimator_figure(options.out, found))


if __name__ == "__main__":
    main()
