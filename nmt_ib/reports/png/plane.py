"""Figures of networks in the information plane during training: paths, gradients, and an animation."""

import math
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import numpy as np
import pandas
import seaborn
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from nmt_ib.files import write_bytes
from nmt_ib.reports.png.canvas import INK, drawable, save_figures, set_title, styled
from nmt_ib.results.information_plane import WHOLE, Plane

FRAMES_PER_SECOND = 8
MAX_COLUMNS = 3  # planes in a row
FEW_EPOCHS = 50  # below, powers of ten are too few ticks
LABEL_DISTANCE = 0.03  # share of an axis: layers closer than about this share a label
VISIBLE = 0.85  # share of the colour map that is readable on white
Colour = tuple[float, ...]
Panels = list[tuple[str, pandas.DataFrame]]


def write_plane_figures(folder: Path, plane: Plane) -> list[Path]:
    """Writes the paths of networks through the information plane.

    Args:
        folder: Existing folder.
        plane: The points; at least one.

    Returns:
        Paths of the files. `plane.png`: one column per estimator, layers by epoch, and I(X;T) over epochs.
        `learning.png`: accuracy, and signal-to-noise ratio of gradients and clusters if they were measured.
        `plane.gif`: one frame per measured epoch.
    """
    panels = _panels(plane)
    with styled():
        files = save_figures(folder, {"plane.png": _paths(plane, panels), "learning.png": _learning(plane)})
        return [*files, _animation(folder / "plane.gif", plane, panels)]


def write_planes_figure(folder: Path, name: str, planes: Mapping[str, Plane]) -> list[Path]:
    """Writes planes side by side, on the same axes and with the same colours.

    Args:
        folder: Existing folder.
        name: Name of the file.
        planes: Title -> points of one estimator, measured at the same epochs; at least one.

    Returns:
        Path of the file.
    """
    whole = Plane.joined(list(planes.values()))
    everything = whole.to_dataframe()
    colours = _EpochColours(whole)
    with styled():
        columns, rows = min(len(planes), MAX_COLUMNS), math.ceil(len(planes) / MAX_COLUMNS)
        figure = Figure(figsize=(3.6 * columns + 1, 3.8 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, (heading, plane) in zip(panels.flat, planes.items(), strict=False):
            _limits(axes, whole, everything)
            for epoch, now in plane.to_dataframe().groupby("epoch"):
                _layers(axes, now, colours(epoch))
            axes.label_outer()
            set_title(axes, drawable(heading))
        for axes in panels.flat[len(planes) :]:
            axes.set_axis_off()
        figure.legend(*panels[0, 0].get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=2)
        figure.colorbar(colours, ax=list(panels.flat), label="epoch + 1")
        return save_figures(folder, {name: figure})


def _panels(plane: Plane) -> Panels:
    frame = plane.to_dataframe()
    groups = frame.groupby(["estimator", "input_part"], sort=False)
    return [(name if part == WHOLE else f"{name}, {part} inputs", rows) for (name, part), rows in groups]


def _paths(plane: Plane, panels: Panels) -> Figure:
    figure = Figure(figsize=(4.6 * len(panels) + 1, 8.4), layout="constrained")
    axes = figure.subplots(2, len(panels), squeeze=False)
    colours = _EpochColours(plane)
    for column, (name, rows) in enumerate(panels):
        top, below = axes[:, column]
        _limits(top, plane, rows)
        for epoch, now in rows.groupby("epoch"):
            _layers(top, now, colours(epoch))
        _label_layers(top, now)
        _limit_legend(top)
        set_title(top, name)
        _over_epochs(below, rows)
    figure.colorbar(colours, ax=list(axes[0]), label="epoch + 1")
    figure.suptitle(_caption(plane), fontsize=11, x=0.01, ha="left")
    return figure


def _caption(plane: Plane) -> str:
    networks = len({point.seed for point in plane.points})
    count = f"mean of {networks} networks\npale dots: each network" if networks > 1 else "one network"
    return "\n".join([*([plane.signature["model"]] if plane.signature else []), f"lines: layers 1, 2, ..., {count}"])


def _label_layers(axes: Axes, now: pandas.DataFrame) -> None:
    """Writes layer numbers beside the layers' means; layers at one place share a label."""
    means = now.groupby("layer")[["i_x_bits", "i_y_bits"]].mean()
    sizes = [np.ptp(limits) for limits in (axes.get_xlim(), axes.get_ylim())]
    for _, same in means.groupby((means / sizes / LABEL_DISTANCE).round().apply(tuple, axis=1)):
        axes.annotate(
            ", ".join(map(str, same.index)), tuple(same.mean()), textcoords="offset points", xytext=(-5, -3),
            ha="right", va="top", fontsize=9, color=INK, zorder=4,
        )  # fmt: skip


def _limit_legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.13))


def _layers(axes: Axes, now: pandas.DataFrame, colour: Colour) -> None:
    """Draws the layers at one epoch: each network as dots, and their mean as a path."""
    axes.scatter(now.i_x_bits, now.i_y_bits, color=[colour], s=4, alpha=0.3, linewidths=0)
    means = now.groupby("layer")[["i_x_bits", "i_y_bits"]].mean()
    axes.plot(means.i_x_bits, means.i_y_bits, color=colour, alpha=0.35, linewidth=0.8)
    axes.scatter(means.i_x_bits, means.i_y_bits, color=[colour], s=18, edgecolors="white", linewidths=0.3, zorder=3)


def _limits(axes: Axes, plane: Plane, rows: pandas.DataFrame) -> None:
    if plane.h_x_bits is not None and plane.i_xy_bits is not None:
        axes.axhline(plane.i_xy_bits, color=INK, linestyle=":", linewidth=1, label="I(X;Y), upper bound of I(T;Y)")
        axes.axvline(plane.h_x_bits, color=INK, linestyle="--", linewidth=1, label="H(X), upper bound of I(X;T)")
    for values, name in ((rows.i_x_bits, "x"), (rows.i_y_bits, "y")):
        room = 0.05 * max(float(np.ptp(values)), 1e-3)
        getattr(axes, f"set_{name}lim")(values.min() - room, values.max() + room)
    axes.set_xlabel("I(X;T), bits")
    axes.set_ylabel("I(T;Y), bits")


def _over_epochs(axes: Axes, rows: pandas.DataFrame) -> None:
    """Mean of I(X;T) over seeds, with its standard deviation."""
    frame = rows.assign(epoch=rows.epoch + 1)
    layers = frame.layer.nunique()
    seaborn.lineplot(
        frame, x="epoch", y="i_x_bits", hue="layer", palette=seaborn.color_palette("flare", layers), errorbar="sd",
        ax=axes,
    )  # fmt: skip
    _epochs(axes)
    axes.set_ylabel("I(X;T), bits")
    _layer_legend(axes)


def _epochs(axes: Axes) -> None:
    """A logarithmic axis of epochs with readable labels, however few epochs there are."""
    axes.set(xscale="log", xlabel="epoch + 1")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if axes.get_xlim()[1] < FEW_EPOCHS else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _layer_legend(axes: Axes) -> None:
    axes.legend(title="layer", frameon=False, ncols=6, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.13))


def _learning(plane: Plane) -> Figure:
    kinds = [_accuracy, *([_gradients] if plane.gradients else []), *([_clusters] if plane.clusters else [])]
    figure = Figure(figsize=(5 * len(kinds), 4.2), layout="constrained")
    for axes, draw in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        draw(axes, plane)
        _epochs(axes)
    return figure


def _accuracy(axes: Axes, plane: Plane) -> None:
    frame = plane.to_dataframe().drop_duplicates(["seed", "epoch"])
    for column, label in (("train_accuracy", "training set"), ("test_accuracy", "test set")):
        seaborn.lineplot(frame.assign(epoch=frame.epoch + 1), x="epoch", y=column, errorbar="sd", ax=axes, label=label)
    axes.set_ylabel("accuracy, or explained variance (R²)")
    axes.legend(frameon=False)
    set_title(axes, "Accuracy")


def _gradients(axes: Axes, plane: Plane) -> None:
    rows = [(row.epoch + 1, row.layer, row.signal_to_noise, row.mean_norm) for row in plane.gradients]
    frame = pandas.DataFrame(rows, columns=["epoch", "layer", "ratio", "mean"])
    one_step = frame.ratio.isna().all()
    layers = frame.layer.nunique()
    seaborn.lineplot(
        frame, x="epoch", y="mean" if one_step else "ratio", hue="layer", errorbar="sd", ax=axes,
        palette=seaborn.color_palette("flare", layers),
    )  # fmt: skip
    axes.set(yscale="log", ylabel="norm of the gradient" if one_step else "norm of mean / norm of standard deviation")
    _layer_legend(axes)
    set_title(axes, "Gradient" if one_step else "Signal-to-noise ratio of the gradient")


def _clusters(axes: Axes, plane: Plane) -> None:
    rows = [(row.epoch + 1, row.layer, row.within / row.between) for row in plane.clusters if row.between]
    frame = pandas.DataFrame(rows, columns=["epoch", "layer", "ratio"])
    palette = seaborn.color_palette("flare", frame.layer.nunique())
    seaborn.lineplot(frame, x="epoch", y="ratio", hue="layer", errorbar="sd", ax=axes, palette=palette)
    axes.set_ylabel("distance within classes / between classes")
    _layer_legend(axes)
    set_title(axes, "Clusters")


def _animation(path: Path, plane: Plane, panels: Panels) -> Path:
    figure = Figure(figsize=(4 * len(panels), 3.8), layout="constrained")
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    colours = _EpochColours(plane)
    epochs = sorted({point.epoch for point in plane.points})

    def draw(epoch: int) -> None:
        for axes, (name, rows) in zip(all_axes, panels, strict=True):
            axes.clear()
            now = rows[rows.epoch == epoch]
            _limits(axes, plane, rows)
            _layers(axes, now, colours(epoch))
            _label_layers(axes, now)
            _limit_legend(axes)
            set_title(axes, f"{name}, epoch {epoch}")

    frames = FuncAnimation(figure, draw, frames=[*epochs, *[epochs[-1]] * FRAMES_PER_SECOND], init_func=lambda: None)
    with TemporaryDirectory() as folder:
        temporary = Path(folder, path.name)
        frames.save(temporary, writer=PillowWriter(fps=FRAMES_PER_SECOND), dpi=80)
        write_bytes(path, temporary.read_bytes())
    return path


class _EpochColours(ScalarMappable):
    """One colour per epoch, on a logarithmic scale of epoch + 1."""

    def __init__(self, plane: Plane) -> None:
        last = max(point.epoch for point in plane.points)
        super().__init__(LogNorm(1, max(last + 1, 2)), _dark_viridis())

    def __call__(self, epoch: int) -> Colour:
        return tuple(self.to_rgba(np.array([epoch + 1.0]))[0])


def _dark_viridis() -> LinearSegmentedColormap:
    colours = matplotlib.colormaps["viridis"](np.linspace(0, VISIBLE, 256))
    return LinearSegmentedColormap.from_list("dark viridis", colours)
