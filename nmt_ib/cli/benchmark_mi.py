"""`nmt-ib benchmark mi`: estimators of information against exact values."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.run_directory import begun
from nmt_ib.cli.terminal import Json, Seed, Threads, out, present, progress, set_threads

if TYPE_CHECKING:
    from nmt_ib.info.tasks import Task
    from nmt_ib.results.estimator_benchmark import EstimatorBenchmark
    from nmt_ib.signature import RunSignature
    from nmt_ib.studies.benchmarks.pair_estimators import PairEstimator

TABLE = "benchmark.json"
MI_EXAMPLE = """\b
Example:
  $ nmt-ib benchmark mi --estimators gaussian,ksg,adaptive --tasks normal-1x1,dense-5x5,asinh-student-1x1-1
   ───────────────────────────────────────────────────────────────────
    nats: task (exact), estimator     bias   spread    rmse   seconds
   ───────────────────────────────────────────────────────────────────
    normal-1x1 (0.413)
      ksg                           -0.000    0.012   0.010      0.01
      adaptive                      -0.003    0.015   0.013      0.00
      gaussian                      -0.006    0.017   0.015      0.00
   ───────────────────────────────────────────────────────────────────
    dense-5x5 (0.593)
      gaussian                      +0.006    0.013   0.012      0.00
      ksg                           -0.042    0.017   0.044      0.12
      adaptive*                          -        -       -      0.00
   ───────────────────────────────────────────────────────────────────
    asinh-student-1x1-1 (0.224)
      ksg                           -0.009    0.006   0.011      0.01
      adaptive                      -0.027    0.007   0.028      0.00
      gaussian                      -0.223    0.000   0.223      0.00
   ───────────────────────────────────────────────────────────────────
  3 samples of 2,000 pairs; the best comes first
  * adaptive on dense-5x5: 10 dimensions cut in two are more cells than 2000 samples can fill: 5 a cell allow 8
"""


def mi(
    estimators: Annotated[
        str, typer.Option(help="gaussian, ksg, kde, infonce, ...: several with commas, or all; a wrong one lists them.")
    ],
    tasks: Annotated[
        str, typer.Option(help="Pairs of variables whose information is known: normal-1x1, ... with commas, or all.")
    ] = "all",
    samples: Annotated[int, typer.Option(min=10, help="Pairs in each sample.")] = 2000,
    repetitions: Annotated[int, typer.Option(min=1, help="Samples of each task.")] = 3,
    directory: Annotated[
        Path | None, typer.Option("--out", help="For the table and its picture; a killed benchmark goes on there.")
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Tells how far estimators of information are off, and how much they scatter, where the truth is known."""
    from nmt_ib.studies.benchmarks.mutual_information import chosen_tasks, signature_of
    from nmt_ib.studies.benchmarks.pair_estimators import chosen_estimators

    chosen, truths = chosen_estimators(split(estimators)), chosen_tasks(split(tasks))
    set_threads(threads)
    signature = signature_of(chosen, truths, samples=samples, repetitions=repetitions, seed=seed)
    with begun(directory, signature) as run:
        found = carry_out(run.path, chosen, truths, signature)
        files = write(found, run.path) if directory else []
    present(found, show, files, as_json=as_json)


def split(names: str) -> list[str]:
    """Names with commas between, each once."""
    return list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))


def carry_out(
    folder: Path, estimators: "dict[str, PairEstimator]", tasks: "list[Task]", signature: "RunSignature"
) -> "EstimatorBenchmark":
    """Runs what is not yet in the folder, writing the table down after each estimator of each task.

    Args:
        folder: Has, and gets, the table.
        estimators: Name -> estimator.
        tasks: Pairs of variables.
        signature: What decides the numbers.

    Returns:
        The table.
    """
    from nmt_ib.reports.jsonfile import read_json, write_json
    from nmt_ib.results.estimator_benchmark import EstimatorBenchmark
    from nmt_ib.studies.benchmarks.mutual_information import benchmark_estimators

    path = folder / TABLE
    done = EstimatorBenchmark.from_dict(read_json(path)) if path.is_file() else None
    with progress("estimators and tasks", len(estimators) * len(tasks)) as advance:

        def signed(table: EstimatorBenchmark) -> EstimatorBenchmark:
            return replace(table, signature=signature.to_dict())

        def after(table: EstimatorBenchmark) -> None:
            if done is None or len(table) > len(done):
                write_json(path, signed(table).to_dict())
            advance(1)

        settings = signature.settings
        found = benchmark_estimators(
            estimators, tasks, samples=settings["samples"], repetitions=settings["repetitions"], seed=signature.seed,
            done=done, after_estimator=after,
        )  # fmt: skip
    return signed(found)


def write(found: "EstimatorBenchmark", folder: Path) -> list[Path]:
    """Draws the picture beside the table.

    Args:
        found: The table, which is there already.
        folder: Where.

    Returns:
        The files.
    """
    from nmt_ib.reports.png.estimators import write_estimator_figure

    return [folder / TABLE, *write_estimator_figure(folder, found)]


def show(found: "EstimatorBenchmark") -> None:
    """Prints a block a task with the best estimator first, then what was said of the samples.

    Args:
        found: The benchmark.
    """
    from nmt_ib.results.estimator_benchmark import signed_nats

    grid = Table(box=HORIZONTALS)
    grid.add_column("nats: task (exact), estimator", no_wrap=True)
    for head in ("bias", "spread", "rmse", "seconds"):
        grid.add_column(head, justify="right", no_wrap=True)
    for task, exact_nats in found.exact_nats.items():
        grid.add_row(f"{task} ({exact_nats:.3f})")
        scores = [score for (name, _), score in found.scores.items() if name == task]
        for score in sorted(scores, key=lambda score: (math.isnan(score.rmse_nats), score.rmse_nats)):
            spread, rmse = (signed_nats(value).lstrip("+") for value in (score.spread_nats, score.rmse_nats))
            mark = "*" if score.notes else ""
            grid.add_row(
                f"  {score.estimator}{mark}", signed_nats(score.bias_nats), spread, rmse, f"{score.seconds:.2f}"
            )
        grid.add_section()
    out.print(grid)
    samples = f"{found.repetitions} sample{'' if found.repetitions == 1 else 's'}"
    out.print(f"{samples} of {found.samples:,} pairs; the best comes first", soft_wrap=True)
    for remark in found.remarks:
        out.print(f"* {remark}", soft_wrap=True)
