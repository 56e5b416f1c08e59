"""Which estimator of mutual information can be trusted where? Twenty pairs of variables whose information is known.

Every estimator sees the same samples. Prints bias and standard deviation over samples in nats, and CPU seconds per
sample; with --out the table is written to a run directory with its figure. Rerun the same command to resume.
`nmt-ib benchmark mi` does the same for tasks of your choice.

    python recipes/benchmark_estimators.py --out runs/estimators
"""

import argparse
import statistics
from pathlib import Path

import torch

from nmt_ib import benchmark
from nmt_ib.benchmark import EstimatorBenchmark

# First one-dimensional pairs; then high dimensions, sparse dependence, heavy tails, non-linear maps.
TASKS = (
    "normal-1x1", "normal-cdf-1x1", "half-cube-1x1", "wiggly-1x1", "bimodal-1x1", "additive-uniform-0.1",
    "additive-uniform-0.75", "student-identity-1x1-1", "asinh-student-1x1-1", "swiss-roll-2x1",
    "dense-2x2", "dense-5x5", "dense-25x25", "dense-50x50", "two-pairs-3x3", "two-pairs-25x25",
    "student-identity-3x3-2", "asinh-student-identity-3x3-2", "spiral-3x3", "half-cube-25x25",
)  # fmt: skip
COLUMN = 18


def report(result: EstimatorBenchmark) -> None:
    """One row per task, one column per estimator; then error, cost and warnings of each estimator."""
    print(f"{'nats':30}{'exact':>6}" + "".join(f"{name:>{COLUMN}}" for name in result.estimators))
    for task, exact in result.exact_nats.items():
        cells = "".join(f"{result.scores[task, name]!s:>{COLUMN}}" for name in result.estimators)
        print(f"{task:30}{exact:6.3f}{cells}")
    errors = (result.median_error_nats(name) for name in result.estimators)
    print(f"{'median RMSE (none: infinite)':36}" + "".join(f"{error:{COLUMN}.3f}" for error in errors))
    seconds = (statistics.fmean(run.seconds for run in result if run.estimator == name) for name in result.estimators)
    print(f"{'CPU seconds per sample':36}" + "".join(f"{one:{COLUMN}.3f}" for one in seconds))
    for remark in result.remarks:
        print(f"* {remark}")


def main() -> None:
    """Runs all estimators on all tasks and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--estimators", default="all", help="names separated by commas, or all")
    parser.add_argument("--samples", type=int, default=5000, help="pairs per sample")
    parser.add_argument("--repetitions", type=int, default=3, help="samples per task")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="run directory for the table and its figure")
    parser.add_argument("--smoke", action="store_true", help="2 tasks, 100 pairs, 2 samples")
    options = parser.parse_args()
    if options.smoke:
        options.samples, options.repetitions = 100, 2
    torch.set_num_threads(options.threads)
    print(f"{options.repetitions} samples of {options.samples:,} pairs, {options.threads} thread(s)", flush=True)
    result = benchmark.mi(
        options.estimators.split(","), TASKS[:: 10 if options.smoke else 1], samples=options.samples,
        repetitions=options.repetitions, seed=options.seed, progress=True, out=options.out,
    )  # fmt: skip
    report(result)


if __name__ == "__main__":
    main()
