"""Figures of the plane are written whole, whatever was measured."""

import pytest
from PIL import Image

from nmt_ib.reports.png import plane as plane_figures
from nmt_ib.reports.png.plane import write_plane_figures, write_planes_figure
from nmt_ib.results.information_plane import LayerClusters, LayerGradient, Plane, PlanePoint

EPOCHS = (0, 1, 10, 100)


def plane_of(estimators, *, deviation=1.0, clusters=True, seeds=2, **known):
    points = [
        PlanePoint(seed, epoch, layer, estimator, 5 / layer + epoch / 100, epoch / 200 + seed / 9, 0.5, 0.4, part)
        for seed in range(seeds)
        for epoch in EPOCHS
        for layer in (1, 2)
        for estimator, part in estimators
    ]
    gradients = [
        LayerGradient(seed, epoch, layer, 1.0, deviation, 1.0)
        for seed in range(seeds)
        for epoch in EPOCHS[1:]
        for layer in (1, 2)
    ]
    looked = [LayerClusters(0, epoch, layer, 1.0, 2.0, 3.0) for epoch in EPOCHS for layer in (1, 2)]
    return Plane(tuple(points), tuple(gradients), tuple(looked) if clusters else (), **known)


@pytest.mark.parametrize(
    "plane",
    [
        plane_of([("binning", "whole")], h_x_bits=6.0, i_xy_bits=1.0),
        plane_of([("kde-lower", "whole"), ("kde-upper", "whole"), ("sp", "whole")], clusters=False),
        plane_of([("exact", "whole"), ("exact", "irrelevant")], deviation=0.0, seeds=1, i_xy_bits=1.0),
    ],
    ids=["known limits", "three estimators", "one step an epoch"],
)
def test_figures_are_whole(plane, tmp_path):
    files = write_plane_figures(tmp_path, plane)
    assert [file.name for file in files] == ["plane.png", "learning.png", "plane.gif"]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    for file in files:
        with Image.open(file) as picture:
            picture.load()
            assert min(picture.size) > 200
    with Image.open(tmp_path / "plane.gif") as frames:
        assert frames.n_frames >= len(EPOCHS)


def test_a_figure_says_what_it_shows(monkeypatch, tmp_path):
    drawn = {}
    monkeypatch.setattr(plane_figures, "save_figures", lambda folder, figures: drawn.update(figures) or [])
    shown = plane_of([("binning", "whole")], h_x_bits=6.0, i_xy_bits=1.0, signature={"model": "szt"})
    write_plane_figures(tmp_path, shown)
    figure = drawn["plane.png"]
    figure.draw_without_rendering()
    heading = figure._suptitle
    assert heading.get_text() == "szt\nlines: layers 1, 2, ..., mean of 2 networks\npale dots: each network"
    assert heading.get_window_extent().x1 < figure.bbox.x1
    top = figure.axes[0]
    assert {"1", "2"} <= {text.get_text() for text in top.texts}
    labels = [text.get_text() for text in top.get_legend().get_texts()]
    assert labels == ["I(X;Y), upper bound of I(T;Y)", "H(X), upper bound of I(X;T)"]


def test_a_plane_of_one_moment_has_figures(tmp_path):
    point = PlanePoint(0, 0, 1, "binning", 1.0, 0.0, 0.5, 0.5)
    assert len(write_plane_figures(tmp_path, Plane((point,)))) == 3


@pytest.mark.parametrize("count", [1, 3, 4])
def test_planes_stand_side_by_side(count, tmp_path):
    planes = {f"plane {number}": plane_of([("binning", "whole")]) for number in range(count)}
    (file,) = write_planes_figure(tmp_path, "planes.png", planes)
    with Image.open(file) as picture:
        picture.load()
        assert picture.size[1] > (1000 if count > 3 else 500)
    assert list(tmp_path.iterdir()) == [file]
