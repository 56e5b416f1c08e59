"""What figures write: any text of a corpus is drawn without a missing glyph, and what the font has stays as it is."""

import io

import pytest
from matplotlib.figure import Figure

from nmt_ib.reports.png.canvas import drawable, styled
from tests.reports.hostile_run import HOSTILE


@pytest.mark.parametrize("text", ["família não três", "Straße, œuvre, łódź", "Πλάτων и Толстой", "$x_1$ {a} \\ 100 %"])
def test_what_the_font_has_stays(text):
    assert drawable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\tb\nc\0", r"a\tb\nc\x00"),
        ("名詞", r"\u540d\u8a5e"),
        ("\u202etxt", r"\u202etxt"),
        ("\ud800", r"\ud800"),
        ("\U0001f9ff", r"\U0001f9ff"),
        ("", ""),
    ],
)
def test_what_it_lacks_and_what_has_no_ink_is_escaped(text, shown):
    assert drawable(text) == shown


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_nothing_is_missing_when_it_is_drawn(weight):
    """Matplotlib warns of a missing glyph, and a warning is an error here."""
    everything = [chr(code) for start in range(0, 0x11000, 0x100) for code in range(start, start + 0x100, 7)]
    with styled():
        figure = Figure()
        for text in (*HOSTILE, "".join(everything)):
            figure.text(0, 0, drawable(text), weight=weight, parse_math=False)
    figure.savefig(io.BytesIO(), format="png")
