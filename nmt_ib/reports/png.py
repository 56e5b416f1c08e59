"""The same figures as files: the only place that knows matplotlib and seaborn."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmt_ib.reports.html import GROUPS, interval, scale_of
from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, Share
from nmt_ib.results.retention import RetentionSummary, SentenceRetention

DROPPED, KEPT, INK = "#c2533f", "#5b93c7", "#3a3833"
STYLE = {"axes.edgecolor": INK, "grid.color": "#e8e5de", "text.color": INK, "axes.labelcolor": INK}
DOTS_PER_INCH = 150
WIDEST_HEAT_MAP = 26  # words
# Bins are even on asinh(bits): near zero, where dropped words are, they are fine; far out, a step doubles the bits.
LIMIT_BITS, BINS = 1_024.0, 120
TICKS_BITS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024)


def write_figures(folder: Path, summary: DiagnosisSummary, sentences: Iterable[SentenceDiagnosis]) -> list[Path]:
    """Writes the figures of a run as PNG files.

    Args:
        folder: Where they go.
        summary: What the corpus shows.
        sentences: The lines of the run; they are read once and never held together.

    Returns:
        The files: `dropped_by_group.png` and `contributions.png`.
    """
    kept, dropped = _histograms(sentences)
    with seaborn.axes_style("whitegrid", STYLE):
        figures = {"dropped_by_group.png": _groups(summary), "contributions.png": _contributions(kept, dropped)}
    return _saved(folder, figures)


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
    with seaborn.axes_style("whitegrid", STYLE):
        figures = {"retention.png": _curves(summaries)}
        if drawn is not None:
            figures["heat_map.png"] = _heat_map(drawn, [layer.name for layer in own.layers])
    return _saved(folder, figures)


def _saved(folder: Path, figures: Mapping[str, Figure]) -> list[Path]:
    for name, figure in figures.items():
        # Raised in one step, so that a viewer never meets half a picture.
        temporary = folder / f".{name}.part"
        try:
            figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH)
            temporary.replace(folder / name)
        finally:
            temporary.unlink(missing_ok=True)
    return [folder / name for name in figures]


def _groups(summary: DiagnosisSummary) -> Figure:
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    overall = Share("all words", summary.words, summary.dropped)
    for axes, (field, title) in zip(figure.subplots(2, 2).flat, GROUPS.items(), strict=True):
        _panel(axes, title, getattr(summary, field), overall, scale_of(summary))
    figure.suptitle(
        f"Dropped source words: {summary.dropped:,} of {summary.words:,} ({overall.share:.1%}, dotted line)",
        fontsize=13, fontweight="bold",
    )  # fmt: skip
    figure.supxlabel("Share of words dropped, with 95% interval (Wilson)", fontsize=10)
    return figure


def _panel(axes: Axes, title: str, shares: tuple[Share, ...], overall: Share, scale: float) -> None:
    """One bar a group, with its interval and its counts."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    if not shares:
        _say(axes, "no words")
        return
    rows = np.arange(len(shares))
    values = np.array([share.share for share in shares])
    seaborn.barplot(x=values, y=rows, orient="h", color=DROPPED, saturation=1, width=0.7, ax=axes)
    bounds = np.array([interval(share) for share in shares]).T
    axes.errorbar(values, rows, xerr=np.abs(bounds - values), fmt="none", ecolor=INK, elinewidth=1.2)
    axes.axvline(overall.share, color=INK, linewidth=1, linestyle=":")
    names = [_ascii(share.name) for share in shares]
    labels = [f"{name}  ({share.dropped:,} of {share.words:,})" for name, share in zip(names, shares, strict=True)]
    axes.set_yticks(rows, labels, fontsize=9, parse_math=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.2%}".replace(".00", ""))
    axes.set_xlim(0, scale)
    seaborn.despine(ax=axes, left=True)


def _say(axes: Axes, text: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=INK)


def _histograms(sentences: Iterable[SentenceDiagnosis]) -> tuple[np.ndarray, np.ndarray]:
    """Words in each bin of contribution, kept and dropped."""
    counts = np.zeros((2, BINS), dtype=np.int64)
    for sentence in sentences:
        for row, dropped in enumerate((False, True)):
            bits = np.array([word.contribution_bits for word in sentence.words if word.dropped is dropped])
            counts[row] += np.histogram(np.clip(bits[np.isfinite(bits)], -LIMIT_BITS, LIMIT_BITS), _edges_bits())[0]
    return counts[0], counts[1]


def _edges_bits() -> np.ndarray:
    end = np.arcsinh(LIMIT_BITS)
    return np.sinh(np.linspace(-end, end, BINS + 1))


def _contributions(kept: np.ndarray, dropped: np.ndarray) -> Figure:
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    edges = np.arcsinh(_edges_bits())
    for axes, counts, name, color in zip(
        panels, (kept, dropped), ("Translated", "Dropped"), (KEPT, DROPPED), strict=True
    ):
        axes.set_title(f"{name} words: {counts.sum():,}", loc="left", fontsize=11, fontweight="bold")
        if counts.any():
            centres = (edges[:-1] + edges[1:]) / 2
            seaborn.histplot(x=centres, weights=counts, bins=edges.tolist(), color=color, alpha=1, ax=axes)
        axes.set_ylabel("words")
        axes.axvline(0, color=INK, linewidth=1, linestyle=":")
        seaborn.despine(ax=axes)
    _bits_axis(panels[-1], edges, kept + dropped)
    figure.suptitle("What each source word contributes to the translation", fontsize=13, fontweight="bold")
    return figure


def _bits_axis(axes: Axes, edges: np.ndarray, counts: np.ndarray) -> None:
    """Crops the axis to where words are and labels it in bits."""
    occupied = np.flatnonzero(counts)
    low, high = (edges[occupied[0]], edges[occupied[-1] + 1]) if len(occupied) else (-1.5, 1.5)
    low, high = min(low, -1.0) - 0.1, max(high, 1.0) + 0.1
    ticks = sorted({sign * bits for bits in TICKS_BITS for sign in (-1, 1)})
    axes.set_xticks(np.arcsinh(ticks), [f"{bits:,}".replace("-", "\u2212") for bits in ticks])
    axes.set_xlim(low, high)
    axes.set_xlabel("contribution, bits (asinh scale); 0 and less: the translation does not use the word")


def _curves(summaries: Mapping[str, RetentionSummary]) -> Figure:
    """Bits a word at each layer, and the share kept by class of word; with several models one curve each."""
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for color, (model, summary) in zip(seaborn.color_palette(n_colors=len(summaries)), summaries.items(), strict=True):
        places = np.arange(len(summary.layers))
        bits = np.array([layer.bits for layer in summary.layers])
        bounds = np.array([layer.interval for layer in summary.layers]).T
        left.errorbar(places, bits, yerr=np.abs(bounds - bits), color=color, marker="o", capsize=3, label=_ascii(model))
        if len(summaries) > 1:
            right.plot(places, [layer.kept for layer in summary.layers], color=color, marker="o", label=_ascii(model))
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
    axes.set_xticks(np.arange(table.shape[1]) + 0.5, [_ascii(word.text) for word in sentence.words], rotation=50,
                    ha="right", fontsize=9, parse_math=False)  # fmt: skip
    axes.set_yticks(np.arange(len(layers)) + 0.5, layers, rotation=0, fontsize=9)
    axes.set_title(f"What each layer keeps of line {sentence.index + 1}", loc="left", fontsize=11, fontweight="bold")
    return figure


def _ascii(text: str) -> str:
    """No font has every glyph."""
    return text.encode("ascii", "backslashreplace").decode()
