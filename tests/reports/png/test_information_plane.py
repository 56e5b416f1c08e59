"""The curves of layers and of the limit are drawn."""

from PIL import Image

from nmt_ib.reports.png.information_plane import write_approach_figure, write_curve_figure
from nmt_ib.results.ib_curve import IBCurve, IBPoint

CURVE = IBCurve((IBPoint(2.0, 0.5, 0.4, 0.1),), (1.5,), i_xy_bits=0.5, end_x_bits=1.0)


def test_layers_come_near_the_curve_in_a_figure(tmp_path):
    epochs = {epoch: CURVE.against([("layer 1", 3.0, 0.4), ("layer 2", 1.0, epoch / 1000)]) for epoch in (0, 50, 400)}
    (file,) = write_approach_figure(tmp_path, "limit.png", {"one": epochs, "two": epochs})
    with Image.open(file) as picture:
        picture.load()
        assert picture.size[0] > 1.5 * picture.size[1]


def test_a_curve_has_a_figure_with_and_without_layers(tmp_path):
    for curve in (CURVE, CURVE.against([("layer <1> $x", 3.0, 0.4)])):
        (file,) = write_curve_figure(tmp_path, curve)
        assert file.name == "curve.png"
        with Image.open(file) as picture:
            picture.load()
            assert picture.size[0] > 1.5 * picture.size[1]
