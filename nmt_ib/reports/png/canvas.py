"""Style of all figures and how they are saved; only this folder imports matplotlib and seaborn."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from nmt_ib.files import write_bytes

RED, BLUE, INK = "#c2533f", "#5b93c7", "#3a3833"
FONT = "DejaVu Sans"  # ships with matplotlib, so figures look the same everywhere
STYLE = {
    "axes.edgecolor": INK, "grid.color": "#e8e5de", "text.color": INK, "axes.labelcolor": INK, "font.family": [FONT],
}  # fmt: skip
DOTS_PER_INCH = 150


def styled() -> AbstractContextManager[Any]:
    """A context in which figures have the style of this package."""
    return seaborn.axes_style("whitegrid", STYLE)


def save_figures(folder: Path, figures: Mapping[str, Figure]) -> list[Path]:
    """Writes figures as PNG files, each atomically.

    Args:
        folder: Existing folder.
        figures: File name -> figure.

    Returns:
        Paths of the files.
    """
    for name, figure in figures.items():
        image = BytesIO()
        figure.savefig(image, format="png", dpi=DOTS_PER_INCH)
        write_bytes(folder / name, image.getvalue())
    return [folder / name for name in figures]


def set_message(axes: Axes, text: str) -> None:
    """Shows a message instead of a panel."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=INK)


def set_title(axes: Axes, text: str) -> None:
    """Sets the title of a panel."""
    axes.set_title(text, loc="left", fontsize=11, fontweight="bold")


def drawable(text: str) -> str:
    """Text that the figures' font can draw.

    Args:
        text: Any text, for example from a corpus.

    Returns:
        The text, with escapes for characters that the font lacks and for invisible ones such as control characters.
    """
    return "".join(
        character if character.isprintable() and ord(character) in _glyphs() else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


@cache
def _glyphs() -> frozenset[int]:
    """Code points that the font has, both regular and bold."""
    upright, bold = (set(get_font(findfont(f"{FONT}:{weight}")).get_charmap()) for weight in ("regular", "bold"))
    return frozenset(upright & bold)
