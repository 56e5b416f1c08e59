"""Figure of a transformer in the information plane: what each layer tells of words and of what is written."""

from pathlib import Path

import numpy as np
import seaborn
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import saved, styled, title
from nmt_ib.results.transformer_plane import TransformerPlane


def write_transformer_figure(folder: Path, plane: TransformerPlane) -> list[Path]:
    """Writes one curve for each thing that layers tell of, encoder and decoder side by side.

    Args:
        folder: Where it goes.
        plane: The plane.

    Returns:
        The file, `layers.png`.
    """
    parts = [part for part in ("encoder", "decoder") if any(layer.startswith(part) for layer in plane.layers)]
    colors = dict(zip(plane.things, seaborn.color_palette("tab10"), strict=False))
    counts = [sum(layer.startswith(part) for layer in plane.layers) for part in parts]
    with styled():
        figure = Figure(figsize=(7 + 3 * (len(parts) - 1), 4.8), layout="constrained")
        panels = figure.subplots(1, len(parts), squeeze=False, sharey=True, width_ratios=[n + 1 for n in counts])[0]
        for axes, part in zip(panels, parts, strict=True):
            for thing in plane.things:
                rows = [row for row in plane.about(thing).values() if row.layer.startswith(part)]
                if not rows:
                    continue
                places = [int(row.layer.split()[1]) for row in rows]
                bits = np.array([row.bits - row.shuffled_bits for row in rows])
                errors = [1.96 * row.error_bits for row in rows]
                axes.errorbar(places, bits, yerr=errors, color=colors[thing], marker="o", capsize=3, label=thing)
            title(axes, part)
            axes.set_xlabel("layer")
            axes.xaxis.get_major_locator().set_params(integer=True)
        panels[0].set_ylabel("bits a word (k-means clusters, chance taken off)")
        panels[0].set_ylim(bottom=0)
        panels[0].legend(frameon=False, fontsize=9)
        return saved(folder, {"layers.png": figure})
