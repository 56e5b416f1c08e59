"""Figures of the information plane: the optimal curve and the layers of networks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import BLUE, INK, RED, drawable, save_figures, set_title, styled
from nmt_ib.results.ib_curve import IBCurve


def write_curve_figure(folder: Path, curve: IBCurve) -> list[Path]:
    """Writes a curve in the information plane and in the rate-distortion plane.

    Args:
        folder: Existing folder.
        curve: The curve, with or without layers.

    Returns:
        Path of the file, `curve.png`.
    """
    with styled():
        figure = Figure(figsize=(11, 4.8), layout="constrained")
        plane, rates = figure.subplots(1, 2)
        _information_plane(plane, curve)
        _rate_distortion_plane(rates, curve)
        return save_figures(folder, {"curve.png": figure})


def write_approach_figure(folder: Path, name: str, tasks: Mapping[str, Mapping[int, IBCurve]]) -> list[Path]:
    """Writes how layers approach the optimal curve during training, one panel per task.

    Args:
        folder: Existing folder.
        name: Name of the file.
        tasks: Title -> epoch -> the curve with the layers at that epoch, from the first to the output.

    Returns:
        Path of the file.
    """
    with styled():
        figure = Figure(figsize=(5.5 * len(tasks), 4.8), layout="constrained")
        panels = figure.subplots(1, len(tasks), squeeze=False)[0]
        for axes, (heading, epochs) in zip(panels, tasks.items(), strict=True):
            _approach(axes, epochs)
            set_title(axes, drawable(heading))
        return save_figures(folder, {name: figure})


def _approach(axes: Axes, epochs: Mapping[int, IBCurve]) -> None:
    curve = next(iter(epochs.values()))
    _line(axes, [corner[:2] for corner in curve.corners], "information-bottleneck limit")
    axes.axhline(curve.i_xy_bits, color=INK, linestyle=":", linewidth=1, label="I(X;Y)")
    for shade, (epoch, now) in zip(np.linspace(0.25, 1, len(epochs)), epochs.items(), strict=True):
        places = np.array([(layer.i_x_bits, layer.i_y_bits) for layer in now.layers])
        axes.plot(*places.T, color=RED, alpha=shade, marker="o", markersize=4, label=f"layers, epoch {epoch}")
    axes.set_xlabel("I(X;T), bits")
    axes.set_ylabel("I(T;Y), bits")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, ncols=3, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.13))


def _information_plane(axes: Axes, curve: IBCurve) -> None:
    _line(axes, [corner[:2] for corner in curve.corners], "information-bottleneck limit")
    axes.axhline(curve.i_xy_bits, color=INK, linestyle=":", linewidth=1, label="I(X;Y)")
    confident = [(p.i_x_bits, p.i_y_bits - p.i_y_error_bits) for p in curve.points if p.i_y_error_bits is not None]
    if confident:
        _line(axes, [(x, y) for x, y in confident if y >= 0], "lower confidence bound of the sample", color=RED)
    for layer in curve.layers:
        axes.plot(layer.i_x_bits, layer.i_y_bits, color=RED, marker="o")
        left = layer.i_x_bits > axes.get_xlim()[1] / 2
        beta = "" if layer.beta is None else f", beta {layer.beta:.2f}"
        axes.annotate(
            drawable(layer.name) + beta, (layer.i_x_bits, layer.i_y_bits), textcoords="offset points",
            xytext=(-6 if left else 6, -12), ha="right" if left else "left", fontsize=8, parse_math=False,
        )  # fmt: skip
    axes.set_xlabel("I(X;T), bits")
    axes.set_ylabel("I(T;Y), bits")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="lower right")
    set_title(axes, "Information plane")


def _rate_distortion_plane(axes: Axes, curve: IBCurve) -> None:
    _line(axes, [(x, curve.i_xy_bits - y) for x, y, _ in curve.corners], "information-bottleneck limit")
    for layer in curve.layers:
        axes.plot(layer.i_x_bits, curve.i_xy_bits - layer.i_y_bits, color=RED, marker="o")
    axes.set_xlabel("rate I(X;T), bits")
    axes.set_ylabel("distortion I(X;Y) - I(T;Y), bits")
    axes.legend(frameon=False)
    set_title(axes, "Rate and distortion")


def _line(axes: Axes, places: list[tuple[float, float]], label: str, color: str = BLUE) -> None:
    if places:
        axes.plot(*np.array(places).T, color=color, marker=".", markersize=4, label=label)
