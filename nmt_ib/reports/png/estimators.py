"""Figure of the bias of mutual-information estimators: a map of tasks and estimators."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import seaborn
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import INK, drawable, save_figures, set_title, styled
from nmt_ib.results.estimator_benchmark import EstimatorBenchmark, EstimatorScore, signed_nats

FULL_COLOUR_NATS = 0.5  # the colour scale ends at this bias
LIGHT_TEXT_NATS = 0.28  # from this bias on, text is white


def write_estimator_figure(folder: Path, benchmark: EstimatorBenchmark) -> list[Path]:
    """Writes the bias, estimate minus exact value, of every estimator on every task.

    Args:
        folder: Existing folder.
        benchmark: The benchmark; at least one run.

    Returns:
        Path of the file, `estimators.png`: one row per task, one column per estimator, blue for too low, red for too
        high.
    """
    tasks, estimators = benchmark.exact_nats, benchmark.estimators
    with styled():
        size = (3.8 + 0.85 * max(len(estimators), 4), max(2.0 + 0.36 * len(tasks), 4.4))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(
            _bias_nats(benchmark), cmap="RdBu_r", vmin=-FULL_COLOUR_NATS, vmax=FULL_COLOUR_NATS, aspect="auto"
        )
        axes.set_facecolor("#dcdad4")  # cells without an estimate
        for row, task in enumerate(tasks):
            for column, estimator in enumerate(estimators):
                _annotate(axes, column, row, benchmark.scores.get((task, estimator)))
        axes.set_xticks(range(len(estimators)), [drawable(name) for name in estimators])
        axes.set_yticks(range(len(tasks)), [f"{drawable(name)}  {exact:.2f}" for name, exact in tasks.items()])
        axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0, labelsize=9)
        axes.grid(visible=False)
        seaborn.despine(ax=axes, left=True, bottom=True)
        axes.set_ylabel("pair of variables, with its exact\nmutual information in nats")
        figure.colorbar(image, ax=axes, extend="both", label="too low        nats        too high", aspect=40)
        set_title(axes, _heading(benchmark))
        return save_figures(folder, {"estimators.png": figure})


def _heading(benchmark: EstimatorBenchmark) -> str:
    spread = f", mean ± standard deviation of {benchmark.repetitions} samples" if benchmark.repetitions > 1 else ""
    return f"Estimate minus exact mutual information, nats\n{benchmark.samples:,} pairs{spread}\ngrey: no estimate"


def _bias_nats(benchmark: EstimatorBenchmark) -> Float[np.ndarray, "N K"]:
    rows = ([benchmark.scores.get((task, name)) for name in benchmark.estimators] for task in benchmark.exact_nats)
    return np.array([[math.nan if score is None else score.bias_nats for score in row] for row in rows])


def _annotate(axes: Axes, column: int, row: int, score: EstimatorScore | None) -> None:
    if score is None or math.isnan(score.bias_nats):
        return
    colour = "white" if abs(score.bias_nats) > LIGHT_TEXT_NATS else INK
    look: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "center", "color": colour}
    axes.annotate(signed_nats(score.bias_nats), (column, row), (0, 3.5), fontsize=9, **look)
    if not math.isnan(score.spread_nats):
        spread = f"±{signed_nats(score.spread_nats)[1:]}"
        axes.annotate(spread, (column, row), (0, -7), fontsize=6.5, **look)
