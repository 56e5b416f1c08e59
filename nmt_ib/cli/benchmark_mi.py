"""`nmt-ib benchmark mi`: estimators of information against exact values."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.terminal import Json, Seed, Threads, out, present, set_threads, split

if TYPE_CHECKING:
    from nmt_ib.results.estimator_benchmark import EstimatorBenchmark

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
  * adaptive on dense-5x5: 2 bins in each of 10 dimensions need 5,120 samples, got 2,000
"""


def mi(
    estimators: Annotated[
        str,
        typer.Option(help="gaussian, ksg, kde, infonce, ..., separated by commas, or all; an unknown one lists them."),
    ],
    tasks: Annotated[
        str, typer.Option(help="Tasks whose exact value is known: normal-1x1, ..., separated by commas, or all.")
    ] = "all",
    samples: Annotated[int, typer.Option(min=10, help="Number of pairs in each sample.")] = 2000,
    repetitions: Annotated[int, typer.Option(min=1, help="Number of samples of each task.")] = 3,
    directory: Annotated[
        Path | None,
        typer.Option("--out", help="Run directory for the table and its figure; rerun the same command to resume."),
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Measures bias and spread of estimators of mutual information on tasks whose exact value is known."""
    from nmt_ib.studies.benchmarks.benchmark import mi as study

    set_threads(threads)
    found = study(
        split(estimators),
        split(tasks),
        samples=samples,
        repetitions=repetitions,
        seed=seed,
        progress=True,
        out=directory,
    )
    present(found, show, directory, as_json=as_json)


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
