"""Figures of compressed parsers: scores against bits, and the tags themselves."""

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

from nmt_ib.reports.png.canvas import INK, KEPT, drawable, saved, styled, title
from nmt_ib.results.parsing import CompressionSweep

OTHER, OTHER_COLOR = "other", "#b9b5ac"
TITLE_WIDTH = 80  # characters


def write_sweep_figure(folder: Path, sweep: CompressionSweep) -> list[Path]:
    """Writes the curve of attachment scores against bits per word.

    Args:
        folder: Where it goes.
        sweep: Parsers that differ in beta.

    Returns:
        The file, `sweep.png`; none where the tags have no rate.
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
            ("UAS", KEPT, [point.uas for _, point in points]),
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
        axes.set_xlabel("bits per word, an upper bound of I(X;T); beta below each point")
        axes.set_ylabel("attachment score, development set")
        title(axes, _heading(sweep))
        axes.legend(frameon=False)
        return saved(folder, {"sweep.png": figure})


def _heading(sweep: CompressionSweep) -> str:
    question = "How few bits does a parser need?"
    if "model" not in sweep.signature:
        return question
    settings = sweep.signature["settings"]
    layers, kind = settings["layers"], settings["tags"]["kind"]
    read = f"layer {layers[0]}" if len(layers) == 1 else f"a mix of {len(layers)} layers"
    return f"{question}\n" + fill(f"{kind} tags of {drawable(sweep.signature['model'])}, {read}", TITLE_WIDTH)


def _scale_bits(axes: Axes) -> None:
    """A logarithmic axis with a zero where bits span decades, a linear one where they do not."""
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
    """Writes pictures of tags side by side, coloured by part of speech.

    Args:
        folder: Where they go.
        panels: Title -> places of the words' tags on a plane, by t-SNE.
        upos: Part of speech of each word; the rarest ones share a colour.

    Returns:
        The file, `tags.png`.
    """
    palette = [color for color in seaborn.color_palette("tab10") if len({*color}) > 1]  # its grey is OTHER's
    colors = dict(zip((name for name, _ in Counter(upos).most_common(len(palette))), palette, strict=False))
    shown = np.array([name if name in colors else OTHER for name in upos])
    if OTHER in shown:
        colors[OTHER] = OTHER_COLOR
    with styled():
        figure = Figure(figsize=(4.6 * len(panels) + 1.4, 5.2), layout="constrained")
        grid = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (name, places) in zip(grid, panels.items(), strict=True):
            for tag, color in colors.items():
                axes.scatter(*places[shown == tag].T, s=5, color=color, label=tag, linewidths=0)
            title(axes, name)
            axes.set_xticks([])
            axes.set_yticks([])
        grid[-1].legend(
            title="part of speech", loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, markerscale=3, fontsize=9
        )
        figure.suptitle(
            "A dot is the sampled tag of a word; t-SNE puts similar tags near each other\n"
            "Axes and large distances mean nothing",
            x=0.01, ha="left", fontsize=11,
        )  # fmt: skip
        return saved(folder, {"tags.png": figure})
