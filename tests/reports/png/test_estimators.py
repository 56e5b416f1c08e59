"""The map of estimators and tasks is written whole, whatever was measured."""

import math

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from nmt_ib.reports.png import estimators
from nmt_ib.reports.png.estimators import _bias_nats, write_estimator_figure
from nmt_ib.results.estimator_benchmark import EstimatorBenchmark, EstimatorRun


def table(tasks, estimators, seeds=2, nats=lambda task, estimator: 0.1 * task - 0.2 * estimator):
    runs = [
        EstimatorRun(f"task-{task} $x$ 名詞", 1.0, f"estimator {estimator}", seed, nats(task, estimator), 0.1)
        for task in range(tasks)
        for estimator in range(estimators)
        for seed in range(seeds)
    ]
    return EstimatorBenchmark(tuple(runs), 1000)


@pytest.mark.parametrize(
    "found",
    [
        table(40, 6),
        table(1, 1, seeds=1),
        table(2, 3, nats=lambda task, estimator: None if task else -1.7e308 * (estimator > 0)),
        table(2, 1, nats=lambda task, estimator: None),
        EstimatorBenchmark(table(2, 2).runs[:-2], 1000),
    ],
    ids=["all", "one", "exploded", "none", "not all"],
)
def test_the_figure_is_whole(found, tmp_path):
    files = write_estimator_figure(tmp_path, found)
    assert [file.name for file in files] == ["estimators.png"]
    assert list(tmp_path.iterdir()) == files
    with Image.open(files[0]) as picture:
        picture.load()
        assert min(picture.size) > 300


def test_no_words_are_cut(monkeypatch, tmp_path):
    drawn = {}
    monkeypatch.setattr(estimators, "save_figures", lambda folder, figures: drawn.update(figures) or [])
    write_estimator_figure(tmp_path, table(2, 3))
    (figure,) = drawn.values()
    figure.draw_without_rendering()
    words = [text for text in figure.findobj(Text) if any(map(str.isalpha, text.get_text()))]  # no ticks out of range
    for text in words:
        box = text.get_window_extent()
        assert figure.bbox.containsx(box.x0), text
        assert figure.bbox.containsx(box.x1), text
        assert figure.bbox.containsy(box.y0), text
        assert figure.bbox.containsy(box.y1), text


def test_colours_are_the_bias():
    found = EstimatorBenchmark(table(2, 2).runs[:-2], 1000)
    np.testing.assert_allclose(_bias_nats(found), [[-1.0, -1.2], [-0.9, math.nan]])
