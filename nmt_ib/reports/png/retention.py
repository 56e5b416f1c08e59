"""Figures of the information kept by layers: curves over layers, and a heat map of one sentence."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import seaborn
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import drawable, save_figures, set_message, set_title, styled
from nmt_ib.results.retention import LayerRetention, RetentionSummary, SentenceRetention

HEAT_MAP_WORDS = range(3, 27)  # lengths of sentences that make a readable heat map
KEPT = "Share kept of the first layer's bits"


def write_retention_figures(
    folder: Path, summaries: Mapping[str, RetentionSummary], sentences: Iterable[SentenceRetention]
) -> list[Path]:
    """Writes the figures of a retention run as PNG files.

    Args:
        folder: Existing folder.
        summaries: Model name -> summary of the corpus; the model of the run comes first.
        sentences: Results of the run; the first sentence of suitable length is drawn.

    Returns:
        Paths of the files: `retention.png`, and `heat_map.png` if a sentence is of suitable length.
    """
    own = next(iter(summaries.values()))
    drawn = next((sentence for sentence in sentences if len(sentence.words) in HEAT_MAP_WORDS), None)
    with styled():
        figures = {"retention.png": _one_model(own) if len(summaries) == 1 else _several_models(summaries)}
        if drawn is not None:
            figures["heat_map.png"] = _heat_map(drawn, [layer.name for layer in own.layers])
    return save_figures(folder, figures)


def _one_model(summary: RetentionSummary) -> Figure:
    """Bits per word at each layer, and the share kept by word class."""
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    layers, places = summary.layers, _places([summary])
    bits = _row(layers, places, [layer.bits for layer in layers])
    bounds = np.array([_row(layers, places, [layer.interval[end] for layer in layers]) for end in (0, 1)])
    left.errorbar(np.arange(len(bits)), bits, yerr=np.abs(bounds - bits), marker="o", capsize=3)
    left.set_ylim(bottom=0)
    classes = layers[0].kept_by_class if layers else {}
    _shares(right, {
        name: _row(layers, places, [layer.kept_by_class[name] for layer in layers]) for name in classes
    })  # fmt: skip
    _layer_axis(left, places, "Bits per word, with 95% confidence interval over sentences")
    _layer_axis(right, places, KEPT)
    return figure


def _several_models(summaries: Mapping[str, RetentionSummary]) -> Figure:
    """Share kept at each layer; bits are not comparable between models."""
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    axes = figure.subplots()
    places = _places(summaries.values())
    _shares(axes, {
        model: _row(summary.layers, places, [layer.kept for layer in summary.layers])
        for model, summary in summaries.items()
    })  # fmt: skip
    _layer_axis(axes, places, KEPT)
    return figure


def _places(summaries: Iterable[RetentionSummary]) -> dict[str, int]:
    """Position of each layer of any model on the axis; one position is free between encoder and decoder."""
    stacks: dict[str, int] = {}
    for summary in summaries:
        for layer in summary.layers:
            part, number = layer.name.split()
            stacks[part] = max(stacks.get(part, 0), int(number))
    places: dict[str, int] = {}
    start = 0
    for part in sorted(stacks, reverse=True):  # encoder, decoder
        places |= {f"{part} {number + 1}": start + number for number in range(stacks[part])}
        start += stacks[part] + 1
    return places


def _row(
    layers: Sequence[LayerRetention], places: Mapping[str, int], values: Sequence[float]
) -> Float[np.ndarray, " N"]:
    """One value per layer at its position, NaN elsewhere, so that the line breaks there."""
    row = np.full(max(places.values(), default=-1) + 1, np.nan)
    row[[places[layer.name] for layer in layers]] = values
    return row


def _shares(axes: Axes, curves: Mapping[str, Float[np.ndarray, " N"]]) -> None:
    for (name, shares), color in zip(curves.items(), seaborn.color_palette(n_colors=len(curves)), strict=True):
        axes.plot(np.arange(len(shares)), shares, color=color, marker="o", label=drawable(name))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    if curves:
        legend = axes.legend(fontsize=9, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        for text in legend.get_texts():
            text.set_parse_math(False)  # a model's name may contain dollar signs


def _layer_axis(axes: Axes, places: Mapping[str, int], heading: str) -> None:
    set_title(axes, heading)
    axes.set_xticks(list(places.values()), list(places), rotation=45, ha="right", fontsize=9)
    seaborn.despine(ax=axes)
    if not places:
        set_message(axes, "no words")


def _heat_map(sentence: SentenceRetention, layers: list[str]) -> Figure:
    """Bits of each word of one sentence at each layer, coloured by their share of the first layer's bits."""
    bits, kept = (np.array([getattr(word, name) for word in sentence.words]).T for name in ("bits", "kept"))
    figure = Figure(figsize=(max(2.4 + 0.5 * bits.shape[1], 5), 2.2 + 0.38 * bits.shape[0]), layout="constrained")
    axes = figure.subplots()
    seaborn.heatmap(
        kept, cmap="GnBu", vmin=0, vmax=1, ax=axes, annot=bits, fmt=".0f", annot_kws={"size": 7},
        cbar_kws={"label": "share of layer 1", "format": lambda value, _: f"{value:.0%}", "extend": "max"},
    )  # fmt: skip
    axes.set_xticks(np.arange(bits.shape[1]) + 0.5, [drawable(word.text) for word in sentence.words], rotation=50,
                    ha="right", fontsize=9, parse_math=False)  # fmt: skip
    axes.set_yticks(np.arange(len(layers)) + 0.5, layers, rotation=0, fontsize=9)
    set_title(axes, f"Information kept by each layer, line {sentence.index + 1}")
    axes.set_xlabel("bits, summed over the subwords of a word\ncolour: share of the word's bits at layer 1", fontsize=9)
    return figure
