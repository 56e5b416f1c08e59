"""Figures of a run as PNG, with seaborn."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas
import seaborn
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nmt_ib.results import DiagnosisSummary, SentenceDiagnosis, Share

BITS = np.arange(-40.0, 81.0, 2.0)  # edges of the histogram; the outermost bins hold what lies beyond
KEPT, DROPPED = "#2166ac", "#b2182b"


def write_figures(folder: Path, summary: DiagnosisSummary, sentences: Iterable[SentenceDiagnosis]) -> list[Path]:
    """Draws the figures of a run.

    Args:
        folder: Where they go.
        summary: What the corpus shows.
        sentences: The lines of the run, read once.

    Returns:
        `dropped_by_group.png`, `contributions.png`.
    """
    with seaborn.axes_style("whitegrid"):
        return [
            _save(_groups(summary), folder / "dropped_by_group.png"),
            _save(_contributions(sentences), folder / "contributions.png"),
        ]


def _save(figure: Figure, path: Path) -> Path:
    FigureCanvasAgg(figure).print_png(str(path))
    return path


def _groups(summary: DiagnosisSummary) -> Figure:
    figure = Figure(figsize=(10, 6.5), dpi=120, layout="constrained")
    panels = {
        "class of word": summary.by_part_of_speech,
        "frequency rank": summary.by_frequency,
        "place in the sentence": summary.by_position,
        "length of the sentence": summary.by_length,
    }
    axes = figure.subplots(2, 2, sharex=True).flat
    for panel, (title, shares) in zip(axes, panels.items(), strict=True):
        _shares(panel, title, shares)
    figure.supxlabel("words dropped, % (of how many, at the bar)")
    return figure


def _shares(axes: Axes, title: str, shares: tuple[Share, ...]) -> None:
    axes.set_title(f"By {title}", loc="left")
    if not shares:
        return
    names = [share.name for share in shares]
    seaborn.barplot(x=[100 * share.share for share in shares], y=names, color=KEPT, ax=axes)
    for place, share in enumerate(shares):
        axes.annotate(f" {share.words:,}", (100 * share.share, place), va="center", fontsize=8)
    axes.set(xlabel="", ylabel="")
    axes.margins(x=0.15)


def _contributions(sentences: Iterable[SentenceDiagnosis]) -> Figure:
    counts = {False: np.zeros(len(BITS) - 1), True: np.zeros(len(BITS) - 1)}
    for sentence in sentences:
        for word in sentence.words:
            place = int(np.searchsorted(BITS, word.contribution_bits, side="right")) - 1
            counts[word.dropped][int(np.clip(place, 0, len(BITS) - 2))] += 1
    rows = [
        (BITS[place] + 1, "dropped" if dropped else "translated", count)
        for dropped, row in counts.items()
        for place, count in enumerate(row)
    ]
    frame = pandas.DataFrame(rows, columns=["bits", "words", "count"])
    figure = Figure(figsize=(8, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    colours = {"translated": KEPT, "dropped": DROPPED}
    seaborn.histplot(
        frame, x="bits", hue="words", weights="count", bins=list(BITS), multiple="stack", palette=colours, ax=axes
    )
    axes.set(xlabel="contribution to the translation, bits", ylabel="source words")
    axes.axvline(0, color="black", linewidth=0.8)
    return figure
