"""Figures of a transformer in the information plane: layers' information about words, labels and outputs."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import seaborn
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import INK, drawable, save_figures, set_title, styled
from nmt_ib.results.transformer_plane import CLUSTERS, INFONCE, TransformerPlane

LINES = {CLUSTERS: "-", INFONCE: "--"}


def write_transformer_figure(folder: Path, plane: TransformerPlane) -> list[Path]:
    """Writes one curve per variable and estimator, encoder and decoder side by side.

    Args:
        folder: Existing folder.
        plane: The plane.

    Returns:
        Path of the file, `layers.png`.
    """
    parts = [part for part in ("encoder", "decoder") if any(layer.startswith(part) for layer in plane.layers)]
    colors = dict(zip(plane.things, seaborn.color_palette("tab10"), strict=False))
    counts = [sum(layer.startswith(part) for layer in plane.layers) for part in parts]
    with styled():
        figure = Figure(figsize=(7 + 3 * (len(parts) - 1), 4.8), layout="constrained")
        panels = figure.subplots(1, len(parts), squeeze=False, sharey=True, width_ratios=[n + 1 for n in counts])[0]
        for axes, part in zip(panels, parts, strict=True):
            for thing, estimator in product(plane.things, plane.estimators):
                rows = [row for row in plane.about(thing, estimator).values() if row.layer.startswith(part)]
                if not rows:
                    continue
                places = [int(row.layer.split()[1]) for row in rows]
                bits = np.array([row.beyond_chance_bits for row in rows])
                axes.errorbar(
                    places, bits, yerr=[1.96 * row.error_bits for row in rows], color=colors[thing], marker="o",
                    linestyle=LINES[estimator], capsize=3, label=f"{thing}, {estimator}",
                )  # fmt: skip
            set_title(axes, part)
            axes.set_xlabel("layer")
            axes.xaxis.get_major_locator().set_params(integer=True)
        panels[0].set_ylabel("bits per word, chance-corrected")
        panels[0].axhline(0, color=INK, linewidth=0.8)
        panels[0].set_ylim(bottom=min(0.0, panels[0].get_ylim()[0]))
        panels[0].legend(frameon=False, fontsize=9)
        if plane.signature:
            figure.suptitle(drawable(plane.signature["model"]), fontsize=11, x=0.01, ha="left")
        return save_figures(folder, {"layers.png": figure})


def write_training_figure(folder: Path, planes: Mapping[int, TransformerPlane]) -> list[Path]:
    """Writes the path of each layer through the plane during training, one panel per variable.

    Args:
        folder: Existing folder.
        planes: Epoch -> plane, by one estimator; each variable of the last plane but "word" is drawn against "word".

    Returns:
        Path of the file, `training.png`.
    """
    last = planes[max(planes)]
    (word, *others), (estimator, *_) = last.things, last.estimators
    colors = dict(zip(last.layers, seaborn.color_palette("viridis", len(last.layers)), strict=True))
    with styled():
        figure = Figure(figsize=(4.4 * len(others), 4.8), layout="constrained")
        for axes, thing in zip(figure.subplots(1, len(others), squeeze=False)[0], others, strict=True):
            for layer in last.about(thing, estimator):
                across, up = (
                    [plane.about(about, estimator)[layer].beyond_chance_bits for _, plane in sorted(planes.items())]
                    for about in (word, thing)
                )
                line = "--" if layer.startswith("decoder") else "-"
                axes.plot(across, up, color=colors[layer], linestyle=line, marker=".", label=layer)
                axes.plot(across[-1], up[-1], color=colors[layer], marker="o")
            set_title(axes, thing)
            axes.set_xlabel(f"bits about the {word}; large dot: epoch {max(planes)}")
            axes.legend(frameon=False, fontsize=8)
        figure.axes[0].set_ylabel(f"bits, by {estimator}, chance-corrected")
        return save_figures(folder, {"training.png": figure})
