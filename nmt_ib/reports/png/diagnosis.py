"""Figures of a diagnosis: shares of dropped words, and histograms of contributions."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmt_ib.reports.html import GROUPS, interval, scale_of
from nmt_ib.reports.png.canvas import BLUE, INK, RED, drawable, save_figures, set_message, set_title, styled
from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, Share

# Bins have equal widths on asinh(bits): nearly linear around zero, where dropped words are, logarithmic far from it.
LIMIT_BITS, BINS = 1_024.0, 120
TICKS_BITS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024)


def write_figures(folder: Path, summary: DiagnosisSummary, sentences: Iterable[SentenceDiagnosis]) -> list[Path]:
    """Writes the figures of a run as PNG files.

    Args:
        folder: Existing folder.
        summary: Summary of the corpus.
        sentences: Results of the run; they are read once, one at a time.

    Returns:
        Paths of the files: `dropped_by_group.png` and `contributions.png`.
    """
    translated, dropped = _histograms(sentences)
    with styled():
        figures = {"dropped_by_group.png": _groups(summary), "contributions.png": _contributions(translated, dropped)}
    return save_figures(folder, figures)


def _groups(summary: DiagnosisSummary) -> Figure:
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    overall = Share("all words", summary.words, summary.dropped)
    for axes, (field, heading) in zip(figure.subplots(2, 2).flat, GROUPS.items(), strict=True):
        _panel(axes, heading, getattr(summary, field), overall, scale_of(summary))
    figure.suptitle(
        f"Dropped source words: {summary.dropped:,} of {summary.words:,} ({overall.share:.1%}, dotted line)",
        fontsize=13, fontweight="bold",
    )  # fmt: skip
    figure.supxlabel("Share of words dropped, with 95% confidence interval (Wilson)", fontsize=10)
    return figure


def _panel(axes: Axes, heading: str, shares: tuple[Share, ...], overall: Share, scale: float) -> None:
    """One bar for each group, with its interval and counts."""
    set_title(axes, heading)
    if not shares:
        set_message(axes, "no words")
        return
    rows = np.arange(len(shares))
    values = np.array([share.share for share in shares])
    seaborn.barplot(x=values, y=rows, orient="h", color=RED, saturation=1, width=0.7, ax=axes)
    bounds = np.array([interval(share) for share in shares]).T
    axes.errorbar(values, rows, xerr=np.abs(bounds - values), fmt="none", ecolor=INK, elinewidth=1.2)
    axes.axvline(overall.share, color=INK, linewidth=1, linestyle=":")
    names = [drawable(share.name) for share in shares]
    labels = [f"{name}  ({share.dropped:,} of {share.words:,})" for name, share in zip(names, shares, strict=True)]
    axes.set_yticks(rows, labels, fontsize=9, parse_math=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.2%}".replace(".00", ""))
    axes.set_xlim(0, scale)
    seaborn.despine(ax=axes, left=True)


def _histograms(sentences: Iterable[SentenceDiagnosis]) -> tuple[np.ndarray, np.ndarray]:
    """Number of translated and of dropped words in each bin of contribution."""
    counts = np.zeros((2, BINS), dtype=np.int64)
    for sentence in sentences:
        for row, dropped in enumerate((False, True)):
            bits = np.array([word.contribution_bits for word in sentence.words if word.dropped is dropped])
            counts[row] += np.histogram(np.clip(bits[np.isfinite(bits)], -LIMIT_BITS, LIMIT_BITS), _edges_bits())[0]
    return counts[0], counts[1]


def _edges_bits() -> np.ndarray:
    end = np.arcsinh(LIMIT_BITS)
    return np.sinh(np.linspace(-end, end, BINS + 1))


def _contributions(translated: np.ndarray, dropped: np.ndarray) -> Figure:
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    edges = np.arcsinh(_edges_bits())
    for axes, counts, name, color in zip(
        panels, (translated, dropped), ("Translated", "Dropped"), (BLUE, RED), strict=True
    ):
        set_title(axes, f"{name} words: {counts.sum():,}")
        if counts.any():
            centres = (edges[:-1] + edges[1:]) / 2
            seaborn.histplot(x=centres, weights=counts, bins=edges.tolist(), color=color, alpha=1, ax=axes)
        axes.set_ylabel("words")
        axes.axvline(0, color=INK, linewidth=1, linestyle=":")
        seaborn.despine(ax=axes)
    _bits_axis(panels[-1], edges, translated + dropped)
    figure.suptitle("Contribution of source words to the translation", fontsize=13, fontweight="bold")
    return figure


def _bits_axis(axes: Axes, edges: np.ndarray, counts: np.ndarray) -> None:
    """Limits the axis to occupied bins and labels it in bits."""
    occupied = np.flatnonzero(counts)
    low, high = (edges[occupied[0]], edges[occupied[-1] + 1]) if len(occupied) else (-1.5, 1.5)
    low, high = min(low, -1.0) - 0.1, max(high, 1.0) + 0.1
    ticks = sorted({sign * bits for bits in TICKS_BITS for sign in (-1, 1)})
    axes.set_xticks(np.arcsinh(ticks), [f"{bits:,}".replace("-", "\u2212") for bits in ticks])
    axes.set_xlim(low, high)
    axes.set_xlabel("contribution in bits (asinh scale); 0 or less: the translation does not use the word")
