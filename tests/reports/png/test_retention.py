"""The figures of a retention run: any text stays text, any run has them."""

from dataclasses import replace

import numpy as np
import pytest

from nmt_ib.reports.png.retention import (
    HEAT_MAP_WORDS,
    _heat_map,
    _one_model,
    _several_models,
    write_retention_figures,
)
from tests.reports.pictures import size
from tests.reports.retention_run import MARKUP, measured, summary_of, words_of


@pytest.mark.parametrize("models", [["own $_$ 名"], ["$_$", "other", "third"]])
def test_figures(tmp_path, models):
    summaries = {model: summary_of(9, layers=3 + place, model=model) for place, model in enumerate(models)}
    hostile = "$a_ 名 <b> família \x1b[31mred \u202etxt \ud800 😀"
    sentences = [measured(0, "a b"), measured(1, "w " * (max(HEAT_MAP_WORDS) + 1)), measured(2, hostile)]
    paths = write_retention_figures(tmp_path, summaries, iter(sentences))
    assert [path.name for path in paths] == ["retention.png", "heat_map.png"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        width, height = size(path)
        assert 400 < width < 3_000
        assert 300 < height < 2_000
        assert 5_000 < path.stat().st_size < 500_000


def stacks(*names, kept=1.0):
    layer = summary_of(1).layers[0]
    return replace(summary_of(1), layers=tuple(replace(layer, name=name, kept=kept) for name in names))


def test_one_model_shows_bits_and_classes_and_its_line_breaks_between_the_stacks():
    left, right = _one_model(stacks("encoder 1", "encoder 2", "decoder 1")).axes
    assert left.get_legend() is None
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["open class", MARKUP]
    assert [label.get_text() for label in left.get_xticklabels()] == ["encoder 1", "encoder 2", "decoder 1"]
    assert list(left.get_xticks()) == [0, 1, 3]
    np.testing.assert_array_equal(left.lines[0].get_ydata(), [90, 90, np.nan, 90])
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [0.5, 0.5, np.nan, 0.5])


def test_several_models_show_shares_alone_each_at_the_layers_of_its_name():
    models = {"shallow": stacks("encoder 1", "decoder 1", kept=0.25), "deep": stacks("encoder 1", "encoder 2")}
    (axes,) = _several_models(models).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["encoder 1", "encoder 2", "decoder 1"]
    for line, expected in zip(axes.lines, [[0.25, np.nan, np.nan, 0.25], [1, 1, np.nan, np.nan]], strict=True):
        np.testing.assert_array_equal(line.get_ydata(), expected)


def test_the_heat_map_has_bits_as_numbers_and_shares_as_colours():
    axes = _heat_map(words_of((1_800.0, 900.0), (6.0, 7.5)), ["encoder 1", "encoder 2"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["1800", "6", "900", "8"]
    np.testing.assert_allclose(axes.collections[0].get_array(), [[1, 1], [0.5, 1.25]])
    assert "summed over the subwords of a word" in axes.get_xlabel()


def test_no_global_state_is_touched(tmp_path):
    import matplotlib as mpl
    from matplotlib import pyplot

    before = dict(mpl.rcParams)
    write_retention_figures(tmp_path, {"own": summary_of(1)}, [measured(0, "a b c")])
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []
