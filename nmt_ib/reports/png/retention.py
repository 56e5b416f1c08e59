"""Figures of what layers keep: a curve for each model, and a heat map of one sentence."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import seaborn
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import ascii_only, saved, styled
from nmt_ib.results.retention import RetentionSummary, SentenceRetention

WIDEST_HEAT_MAP = 26  # words


def write_retention_figures(
    folder: Path, summaries: Mapping[str, RetentionSummary], sentences: Iterable[SentenceRetention]
) -> list[Path]:
    """Writes the figures of a retention run as PNG files.

    Args:
        folder: Where they go.
        summaries: Name of each model -> what the corpus shows of it; the run's own first.
        sentences: The lines of the run; the first that fits is drawn.

    Returns:
        The files: `retention.png`, and `heat_map.png` where a sentence fits.
    """
    own = next(iter(summaries.values()))
    drawn = next((sentence for sentence in sentences if 3 <= len(sentence.words) <= WIDEST_HEAT_MAP), None)
    with styled():
        figures = {"retention.png": _curves(summaries)}
        if drawn is not None:
            figures["heat_map.png"] = _heat_map(drawn, [layer.name for layer in own.layers])
    return saved(folder, figures)


def _curves(summaries: Mapping[str, RetentionSummary]) -> Figure:
    """Bits a word at each layer, and the share kept by class of word; with several models one curve each."""
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for color, (model, summary) in zip(seaborn.color_palette(n_colors=len(summaries)), summaries.items(), strict=True):
        places = np.arange(len(summary.layers))
        bits = np.array([layer.bits for layer in summary.layers])
        bounds = np.array([layer.interval for layer in summary.layers]).T
        left.errorbar(
            places, bits, yerr=np.abs(bounds - bits), color=color, marker="o", capsize=3, label=ascii_only(model)
        )
        if len(summaries) > 1:
            right.plot(
                places, [layer.kept for layer in summary.layers], color=color, marker="o", label=ascii_only(model)
            )
    own = next(iter(summaries.values()))
    if len(summaries) == 1 and own.layers:
        for name, color in zip(own.layers[0].kept_by_class, seaborn.color_palette(), strict=False):
            values = [layer.kept_by_class[name] for layer in own.layers]
            right.plot(np.arange(len(values)), values, color=color, marker="o", label=name)
    left.set_title("Bits a word, with 95% interval over sentences", loc="left", fontsize=11, fontweight="bold")
    right.set_title("Kept, as a share of the first layer", loc="left", fontsize=11, fontweight="bold")
    left.set_ylim(bottom=0)
    right.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    longest = max(summaries.values(), key=lambda summary: len(summary.layers)).layers
    for axes in (left, right):
        axes.set_xticks(np.arange(len(longest)), [layer.name for layer in longest], rotation=45, ha="right", fontsize=9)
        if axes.get_legend_handles_labels()[0]:
            for text in axes.legend(fontsize=9, frameon=False).get_texts():
                text.set_parse_math(False)  # a model's name may hold dollars
        seaborn.despine(ax=axes)
    return figure


def _heat_map(sentence: SentenceRetention, layers: list[str]) -> Figure:
    """Bits of each word of one sentence at each layer."""
    table = np.array([word.bits for word in sentence.words]).T
    figure = Figure(figsize=(1.6 + 0.5 * table.shape[1], 1.6 + 0.38 * table.shape[0]), layout="constrained")
    axes = figure.subplots()
    seaborn.heatmap(
        table, cmap="GnBu", ax=axes, annot=True, fmt=".0f", annot_kws={"size": 7}, cbar_kws={"label": "bits"}
    )
    axes.set_xticks(np.arange(table.shape[1]) + 0.5, [ascii_only(word.text) for word in sentence.words], rotation=50,
                    ha="right", fontsize=9, parse_math=False)  # fmt: skip
    axes.set_yticks(np.arange(len(layers)) + 0.5, layers, rotation=0, fontsize=9)
    axes.set_title(f"What each layer keeps of line {sentence.index + 1}", loc="left", fontsize=11, fontweight="bold")
    return figure
