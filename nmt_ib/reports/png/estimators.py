"""Figure of estimators of information against exact values: a map of tasks and estimators."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import seaborn
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import INK, drawable, saved, styled, title
from nmt_ib.results.estimator_benchmark import EstimatorBenchmark, EstimatorScore, signed_nats

FULL_COLOUR_NATS = 0.5  # off by more is no darker
LIGHT_NATS = 0.28  # from which on dark words would drown


def write_estimator_figure(folder: Path, found: EstimatorBenchmark) -> list[Path]:
    """Writes estimate less exact value of every estimator on every task.

    Args:
        folder: Where it goes.
        found: The benchmark; at least one run.

    Returns:
        The file, `estimators.png`: a row a task, a column an estimator, blue where it is too low, red where too high.
    """
    tasks, estimators = found.exact_nats, found.estimators
    with styled():
        size = (3.8 + 0.85 * max(len(estimators), 4), max(2.0 + 0.36 * len(tasks), 4.4))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(
            _bias_nats(found), cmap="RdBu_r", vmin=-FULL_COLOUR_NATS, vmax=FULL_COLOUR_NATS, aspect="auto"
        )
        axes.set_facecolor("#dcdad4")  # where there is no estimate
        for row, task in enumerate(tasks):
            for column, estimator in enumerate(estimators):
                _say_score(axes, column, row, found.scores.get((task, estimator)))
        axes.set_xticks(range(len(estimators)), [drawable(name) for name in estimators])
        axes.set_yticks(range(len(tasks)), [f"{drawable(name)}  {exact:.2f}" for name, exact in tasks.items()])
        axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0, labelsize=9)
        axes.grid(visible=False)
        seaborn.despine(ax=axes, left=True, bottom=True)
        axes.set_ylabel("pair of variables, with its\nexact information in nats")
        figure.colorbar(image, ax=axes, extend="both", label="too low        nats        too high", aspect=40)
        title(axes, _heading(found))
        return saved(folder, {"estimators.png": figure})


def _heading(found: EstimatorBenchmark) -> str:
    spread = f", mean ± standard deviation of {found.repetitions} samples" if found.repetitions > 1 else ""
    return f"Estimate minus exact information, nats\n{found.samples:,} pairs{spread}\ngrey: no estimate"


def _bias_nats(found: EstimatorBenchmark) -> Float[np.ndarray, "N K"]:
    rows = ([found.scores.get((task, name)) for name in found.estimators] for task in found.exact_nats)
    return np.array([[math.nan if score is None else score.bias_nats for score in row] for row in rows])


def _say_score(axes: Axes, column: int, row: int, score: EstimatorScore | None) -> None:
    if score is None or math.isnan(score.bias_nats):
        return
    colour = "white" if abs(score.bias_nats) > LIGHT_NATS else INK
    look: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "center", "color": colour}
    axes.annotate(signed_nats(score.bias_nats), (column, row), (0, 3.5), fontsize=9, **look)
    if not math.isnan(score.spread_nats):
        spread = f"±{signed_nats(score.spread_nats)[1:]}"
        axes.annotate(spread, (column, row), (0, -7), fontsize=6.5, **look)
