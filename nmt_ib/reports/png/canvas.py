"""The look of all figures, and how they are written: only this package knows matplotlib and seaborn."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

DROPPED, KEPT, INK = "#c2533f", "#5b93c7", "#3a3833"
STYLE = {"axes.edgecolor": INK, "grid.color": "#e8e5de", "text.color": INK, "axes.labelcolor": INK}
DOTS_PER_INCH = 150


def styled() -> AbstractContextManager:
    """Inside it, figures have the house's look."""
    return seaborn.axes_style("whitegrid", STYLE)


def saved(folder: Path, figures: Mapping[str, Figure]) -> list[Path]:
    """Writes figures as PNG files, each whole or not at all.

    Args:
        folder: Where they go.
        figures: Name of the file -> figure.

    Returns:
        The files.
    """
    for name, figure in figures.items():
        # Raised in one step, so that a viewer never meets half a picture.
        temporary = folder / f".{name}.part"
        try:
            figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH)
            temporary.replace(folder / name)
        finally:
            temporary.unlink(missing_ok=True)
    return [folder / name for name in figures]


def say(axes: Axes, text: str) -> None:
    """Words in place of a panel."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=INK)


def title(axes: Axes, text: str) -> None:
    """The title of a panel."""
    axes.set_title(text, loc="left", fontsize=11, fontweight="bold")


def ascii_only(text: str) -> str:
    """No font has every glyph."""
    return text.encode("ascii", "backslashreplace").decode()
