"""Figures of compressed parsers say what they show, wherever the bits lie."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from PIL import Image

from nmt_ib.reports.png import parsing
from nmt_ib.reports.png.parsing import OTHER_COLOR, write_sweep_figure, write_tag_pictures
from nmt_ib.results.parsing import CompressionPoint, CompressionSweep

SIGNATURE = {"model": "./elmo", "settings": {"tags": {"kind": "discrete"}, "layers": [1]}}


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Writes a figure -> matplotlib's own account of it, after it has been laid out."""
    kept = {}
    save = parsing.save_figures
    monkeypatch.setattr(parsing, "save_figures", lambda folder, figures: kept.update(figures) or save(folder, figures))

    def draw(write, *arguments):
        (file,) = write(tmp_path, *arguments)
        with Image.open(file) as picture:
            picture.load()
        return kept[file.name]

    return draw


def sweep_of(bits, signature=SIGNATURE):
    points = [CompressionPoint(10.0**-n, each, 0.9, 0.8 - n / 10, 1, 1, ".") for n, each in enumerate(bits)]
    return CompressionSweep(tuple(points), signature)


@pytest.mark.parametrize(
    ("bits", "labels"),
    [
        ((0.048, 0.052, 0.068), ["0.05", "0.055", "0.06", "0.065"]),
        ((40.0, 54.0, 73.0), ["40", "50", "60", "70"]),
        ((0.04, 2.0, 12.0, 54.0, 113.0), ["0", "1", "10", "100"]),
        ((0.0, 3.0, 5.4), ["0", "1", "3"]),
        ((5.0, 20.0, 60.0), ["5", "10", "20", "50"]),
    ],
    ids=["narrow", "linear", "decades", "from zero", "within a decade"],
)
def test_bits_have_a_few_round_ticks(drawn, bits, labels):
    figure = drawn(write_sweep_figure, sweep_of(bits))
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert [axes.xaxis.get_major_formatter()(tick, None) for tick in ticks] == labels


@pytest.mark.parametrize("bits", [(0.048, 0.052, 0.068), (0.04, 2.0, 113.0), (54.7,), (0.0, 0.0)], ids=str)
def test_prices_stay_inside_the_frame(drawn, bits):
    figure = drawn(write_sweep_figure, sweep_of(bits))
    (axes,) = figure.axes
    frame = axes.get_window_extent()
    for label in axes.texts:
        box = label.get_window_extent()
        assert frame.x0 < box.x0 < box.x1 < frame.x1
        assert frame.y0 < box.y0 < box.y1 < frame.y1


@pytest.mark.parametrize(
    ("signature", "heading"),
    [
        ({"seed": 0}, "How few bits does a parser need?"),
        (SIGNATURE, "How few bits does a parser need?\ndiscrete tags of ./elmo, layer 1"),
        (
            {"model": "m", "settings": {"tags": {"kind": "continuous"}, "layers": [0, 1, 2]}},
            "How few bits does a parser need?\ncontinuous tags of m, a weighted mean of 3 layers",
        ),
    ],
    ids=["no signature", "one layer", "a mix"],
)
def test_a_curve_names_what_was_compressed(drawn, signature, heading):
    (axes,) = drawn(write_sweep_figure, sweep_of((1.0, 20.0), signature)).axes
    assert axes.get_title(loc="left") == heading
    assert "development set" in axes.get_ylabel()


def test_every_word_is_a_dot_and_rare_parts_of_speech_are_grey(drawn):
    upos = [f"P{n}" for n in range(17) for _ in range(20 - n)]
    places = np.random.default_rng(0).normal(size=(len(upos), 2))
    figure = drawn(write_tag_pictures, {"beta 1": places, "beta 2": 2 * places}, upos)
    assert "sampled tag" in figure.get_suptitle()
    assert "t-SNE" in figure.get_suptitle()
    for axes in figure.axes:
        dots = axes.collections
        assert sum(len(one.get_offsets()) for one in dots) == len(upos)
        assert [one.get_label() for one in dots] == [f"P{n}" for n in range(9)] + ["other"]
        assert [same_color(one.get_facecolor()[0], OTHER_COLOR) for one in dots] == [False] * 9 + [True]


def test_without_rare_parts_of_speech_nothing_is_other(drawn):
    (axes,) = drawn(write_tag_pictures, {"beta 1": np.eye(4)[:, :2]}, ["NOUN", "VERB"] * 2).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["NOUN", "VERB"]
