"""Figures of compressed parsers: attachment scores against bits, and t-SNE plots of tags."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
import seaborn
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from nmt_ib.reports.png.canvas import BLUE, INK, drawable, save_figures, set_title, styled
from nmt_ib.results.parsing import CompressionSweep

OTHER, OTHER_COLOR = "other", "#b9b5ac"
TITLE_WIDTH = 80  # characters


def write_sweep_figure(folder: Path, sweep: CompressionSweep) -> list[Path]:
    """Writes attachment scores against bits per word.

    Args:
        folder: Existing folder.
        sweep: Parsers trained with different values of beta.

    Returns:
        Path of the file, `sweep.png`; empty if the tags have no rate.
    """
    points = sorted(
        ((point.bits_per_token, point) for point in sweep.points if point.bits_per_token is not None),
        key=lambda pair: pair[0],
    )
    if not points:
        return []
    with styled():
        figure = Figure(figsize=(7.5, 4.8), layout="constrained")
        axes = figure.subplots()
        axes.margins(x=0.08, y=0.16)
        bits = [bits for bits, _ in points]
        for name, color, values in (
            ("UAS", BLUE, [point.uas for _, point in points]),
            ("LAS", INK, [point.las for _, point in points]),
        ):
            axes.plot(bits, values, color=color, marker="o", label=name)
        for place, point in points:
            axes.annotate(
                f"{point.beta:g}",
                (place, point.las),
                textcoords="offset points",
                xytext=(0, -13),
                ha="center",
                fontsize=8,
            )
        _scale_bits(axes)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
        axes.set_xlabel("rate in bits per word, an upper bound of I(X;T); beta below each point")
        axes.set_ylabel("attachment score, development set")
        set_title(axes, _heading(sweep))
        axes.legend(frameon=False)
        return save_figures(folder, {"sweep.png": figure})


def _heading(sweep: CompressionSweep) -> str:
    question = "How few bits does a parser need?"
    if "model" not in sweep.signature:
        return question
    settings = sweep.signature["settings"]
    layers, kind = settings["layers"], settings["tags"]["kind"]
    source = f"layer {layers[0]}" if len(layers) == 1 else f"a weighted mean of {len(layers)} layers"
    return f"{question}\n" + fill(f"{kind} tags of {drawable(sweep.signature['model'])}, {source}", TITLE_WIDTH)


def _scale_bits(axes: Axes) -> None:
    """A symmetric-log axis if the bits span decades, else a linear one."""
    axes.set_xscale("symlog", linthresh=1)
    low, high = axes.get_xlim()
    for steps in ((1,), (1, 3), (1, 2, 5)):
        ticks = [tick for tick in (0, *(step * 10**power for power in range(3) for step in steps)) if low < tick < high]
        if len(ticks) >= 3:
            axes.xaxis.set_major_locator(FixedLocator(ticks))
            break
    else:
        axes.set_xscale("linear")
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], min_n_ticks=3))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def write_tag_pictures(folder: Path, panels: Mapping[str, Float[np.ndarray, "N 2"]], upos: Sequence[str]) -> list[Path]:
    """Writes t-SNE plots of tags side by side, coloured by part of speech.

    Args:
        folder: Existing folder.
        panels: Title -> t-SNE coordinates of the words' tags.
        upos: Part of speech of each word; the rarest ones share a colour.

    Returns:
        Path of the file, `tags.png`.
    """
    palette = [color for color in seaborn.color_palette("tab10") if len({*color}) > 1]  # grey is reserved for OTHER
    colors = dict(zip((name for name, _ in Counter(upos).most_common(len(palette))), palette, strict=False))
    classes = np.array([name if name in colors else OTHER for name in upos])
    if OTHER in classes:
        colors[OTHER] = OTHER_COLOR
    with styled():
        figure = Figure(figsize=(4.6 * len(panels) + 1.4, 5.2), layout="constrained")
        grid = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (name, places) in zip(grid, panels.items(), strict=True):
            for tag, color in colors.items():
                axes.scatter(*places[classes == tag].T, s=5, color=color, label=tag, linewidths=0)
            set_title(axes, name)
            axes.set_xticks([])
            axes.set_yticks([])
        grid[-1].legend(
            title="part of speech", loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, markerscale=3, fontsize=9
        )
        figure.suptitle(
            "Each dot is the sampled tag of a word; t-SNE places similar tags close together\n"
            "Axes and large distances have no meaning",
            x=0.01, ha="left", fontsize=11,
        )  # fmt: skip
        return save_figures(folder, {"tags.png": figure})
