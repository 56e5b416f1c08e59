"""The look of all figures, and how they are written: only this package knows matplotlib and seaborn."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

DROPPED, KEPT, INK = "#c2533f", "#5b93c7", "#3a3833"
FONT = "DejaVu Sans"  # matplotlib brings it along, so that figures are the same everywhere
STYLE = {
    "axes.edgecolor": INK, "grid.color": "#e8e5de", "text.color": INK, "axes.labelcolor": INK, "font.family": [FONT],
}  # fmt: skip
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


def drawable(text: str) -> str:
    """A corpus's text as a figure can show it.

    Args:
        text: Any.

    Returns:
        It, with an escape for what the font lacks and for what has no ink of its own, such as control characters.
    """
    return "".join(
        character if character.isprintable() and ord(character) in _glyphs() else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


@cache
def _glyphs() -> frozenset[int]:
    """Characters that the font has, upright and bold."""
    upright, bold = (set(get_font(findfont(f"{FONT}:{weight}")).get_charmap()) for weight in ("regular", "bold"))
    return frozenset(upright & bold)
