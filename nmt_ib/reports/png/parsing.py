"""Figures of compressed parsers: scores against bits, and the tags themselves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import seaborn
from jaxtyping import Float
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import INK, KEPT, saved, styled, title
from nmt_ib.results.parsing import CompressionSweep


def write_sweep_figure(folder: Path, sweep: CompressionSweep) -> list[Path]:
    """Writes the curve of attachment scores against bits a word.

    Args:
        folder: Where it goes.
        sweep: Parsers that differ in the price of their tags.

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
        bits = [bits for bits, _ in points]
        for name, color, values in (
            ("UAS", KEPT, [point.uas for _, point in points]),
            ("LAS", INK, [point.las for _, point in points]),
        ):
            axes.plot(bits, values, color=color, marker="o", label=name)
        for place, point in points:
            axes.annotate(
                f"{point.beta:g}", (place, point.las), textcoords="offset points", xytext=(4, -12), fontsize=8
            )
        axes.set_xscale("symlog", linthresh=1)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_xlabel("bits of a sampled tag, at least I(X;T); beta beside each point")
        title(axes, "How few bits does a parser need?")
        axes.legend(frameon=False)
        return saved(folder, {"sweep.png": figure})


def write_tag_pictures(folder: Path, panels: Mapping[str, Float[np.ndarray, "N 2"]], upos: Sequence[str]) -> list[Path]:
    """Writes pictures of tags side by side, coloured by part of speech.

    Args:
        folder: Where they go.
        panels: Title -> places of the words' tags on a plane.
        upos: Part of speech of each word.

    Returns:
        The file, `tags.png`.
    """
    names = [name for name, _ in Counter(upos).most_common(len(seaborn.color_palette("tab10")))]
    colors = dict(zip(names, seaborn.color_palette("tab10"), strict=False))
    with styled():
        figure = Figure(figsize=(4.6 * len(panels) + 1.4, 4.8), layout="constrained")
        grid = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (name, places) in zip(grid, panels.items(), strict=True):
            for tag in names:
                chosen = np.array([one == tag for one in upos])
                axes.scatter(*places[chosen].T, s=5, color=colors[tag], label=tag, linewidths=0)
            title(axes, name)
            axes.set_xticks([])
            axes.set_yticks([])
        grid[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, markerscale=3, fontsize=9)
        return saved(folder, {"tags.png": figure})
