"""Figures of a transformer's layers are whole, with one estimator or two, with a decoder or none."""

import pytest
from PIL import Image

from nmt_ib.reports.png import transformer_plane
from nmt_ib.reports.png.transformer_plane import write_training_figure, write_transformer_figure
from nmt_ib.results.transformer_plane import CLUSTERS, INFONCE, LayerKnowledge, TransformerPlane


def plane_of(layers, things, estimators, shift=0.0):
    return TransformerPlane(
        tuple(
            LayerKnowledge(layer, thing, estimator, 2 + place + shift, 0.1, 0.2, 6.6, 7.0, 1000)
            for place, layer in enumerate(layers)
            for thing in things
            for estimator in estimators
            if not (layer.startswith("decoder") and thing == "next word")
        )
    )


def width_of(file):
    with Image.open(file) as picture:
        picture.load()
        return picture.size[0]


def test_estimators_and_what_they_say_of_layers():
    plane = plane_of(["encoder 0", "encoder 1"], ["word", "output"], [CLUSTERS, INFONCE])
    assert plane.estimators == (CLUSTERS, INFONCE)
    assert [row.estimator for row in plane.about("word", INFONCE).values()] == [INFONCE] * 2
    assert plane[0].beyond_chance_bits == pytest.approx(1.8)
    assert TransformerPlane.from_dict(plane.to_dict()) == plane


@pytest.mark.parametrize("estimators", [[CLUSTERS], [INFONCE], [CLUSTERS, INFONCE]], ids=", ".join)
@pytest.mark.parametrize("layers", [["encoder 0", "encoder 1"], ["encoder 0", "encoder 1", "decoder 1"]], ids=len)
def test_layers_of_one_model(layers, estimators, tmp_path):
    (file,) = write_transformer_figure(tmp_path, plane_of(layers, ["word", "next word"], estimators))
    assert file.name == "layers.png"
    assert width_of(file) > 900


def test_a_panel_for_each_thing_beside_the_word(tmp_path):
    layers = ["encoder 0", "encoder 1", "decoder 1"]
    planes = {epoch: plane_of(layers, ["word", "next word", "output"], [CLUSTERS], epoch / 9) for epoch in (0, 2, 1)}
    (file,) = write_training_figure(tmp_path, planes)
    assert file.name == "training.png"
    few = {epoch: plane_of(layers, ["word", "output"], [CLUSTERS]) for epoch in planes}
    assert width_of(file) > 1.5 * width_of(*write_training_figure(tmp_path, few))


def test_layers_below_nothing_are_drawn_with_the_name_of_the_model(monkeypatch, tmp_path):
    drawn = {}
    monkeypatch.setattr(transformer_plane, "save_figures", lambda folder, figures: drawn.update(figures) or [])
    row = LayerKnowledge("encoder 0", "word", "clusters", 0.0, 0.3, 0.1, 4.0, 5.0, 100)
    transformer_plane.write_transformer_figure(tmp_path, TransformerPlane((row,), {"model": "some/model"}))
    figure = drawn["layers.png"]
    assert figure._suptitle.get_text() == "some/model"
    assert figure.axes[0].get_ylim()[0] < -0.1 - 1.96 * 0.3
