"""Bins against loops over values, and layers whose binned information is known."""

import math

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import (
    SZT_EDGES,
    Bins,
    EqualCounts,
    FixedEdges,
    FixedWidth,
    LayerBounds,
    binned_information,
    binned_layer,
)
from nmt_ib.info.tasks import TASKS
from tests.oracles.information import plug_in

EVERY = [FixedEdges(), FixedWidth(), LayerBounds(), EqualCounts()]


@pytest.fixture
def layer():
    return np.tanh(2 * np.random.default_rng(0).standard_normal((300, 3)))


def test_edges_are_those_of_the_paper(layer):
    assert len(SZT_EDGES) == 30
    assert (SZT_EDGES[0], SZT_EDGES[-1]) == (-1, 1)
    found, sizes = FixedEdges()(layer)
    expected = [[sum(value >= edge for edge in SZT_EDGES) for value in row] for row in layer]
    np.testing.assert_array_equal(found, expected)
    assert sizes == [31] * 3
    assert FixedEdges()(np.array([[-2.0, -1.0, 1.0, 2.0]]))[0].tolist() == [[0, 1, 30, 30]]


def test_widths_are_floored(layer):
    found, sizes = FixedWidth(0.07)(layer)
    for column, unit, size in zip(found.T, layer.T, sizes, strict=True):
        floors = [math.floor(value / 0.07) for value in unit]
        assert column.tolist() == [floor - min(floors) for floor in floors]
        assert size == max(floors) - min(floors) + 1


def test_bounds_are_the_layer_s(layer):
    found, _ = LayerBounds(4)(np.array([[0.0, 4.0], [0.99, 3.01], [1.0, 2.0]]))
    assert found.tolist() == [[0, 3], [0, 3], [1, 2]]
    assert not LayerBounds()(np.full((5, 2), 3.7))[0].any()


def test_counts_are_equal(layer):
    found, _ = EqualCounts(6)(layer)
    for column in found.T:
        assert np.bincount(column).tolist() == [50] * 6
    assert not np.ptp(EqualCounts(6)(np.ones((5, 2)))[0], axis=0).any()


@pytest.mark.parametrize("bins", EVERY, ids=lambda bins: type(bins).__name__)
def test_a_layer_is_counted(bins, layer):
    assert isinstance(bins, Bins)
    labels = (layer.sum(1) > 0).astype(int)
    found = binned_layer(layer, labels, bins)
    code = [tuple(row) for row in bins(layer)[0]]
    assert float(found.i_x) == pytest.approx(plug_in(code, range(300)), abs=1e-12)
    assert float(found.i_y) == pytest.approx(plug_in(code, labels.tolist()), abs=1e-12)
    assert 0 <= float(found.i_y) <= float(found.i_x) <= math.log(300) + 1e-12
    same = binned_information(layer, labels, bins)
    assert same.nats == pytest.approx(float(found.i_y), abs=1e-12)
    assert same.settings["bins"]["name"] == type(bins).__name__


@pytest.mark.parametrize("bins", EVERY, ids=lambda bins: type(bins).__name__)
def test_a_constant_layer_knows_nothing(bins):
    found = binned_layer(np.full((10, 3), 0.2), np.arange(10) % 2, bins)
    assert float(found.i_x) == float(found.i_y) == 0
    assert not found.i_x.warnings


def test_known_layers():
    halves = np.repeat([[-0.9], [0.9]], 50, axis=0)
    found = binned_layer(halves, np.repeat([0, 1], 50))
    assert float(found.i_x) == float(found.i_y) == pytest.approx(math.log(2))
    spread = binned_layer(np.linspace(-1, 1, 20)[:, None], np.zeros(20))
    assert float(spread.i_x) == pytest.approx(math.log(20))
    assert float(spread.i_y) == 0
    assert "nearly every input has its own code" in spread.i_x.warnings[0]


def test_both_sides_can_be_cut():
    task = TASKS["normal-1x1"]
    x, y = task.sample(20_000, seed=0)
    for bins in (LayerBounds(20), EqualCounts(20)):
        found = binned_information(x, y, bins, bins, miller_madow=True)
        assert task.nats - 0.04 < found.nats < task.nats + 4 * found.error  # cutting loses up to .04
    assert found.settings["y_bins"] == {"name": "EqualCounts", "bins": 20}


def test_too_many_bins_for_the_samples_give_a_warning():
    x, y = TASKS["dense-3x3"].sample(500, seed=0)
    found = binned_information(x, y, EqualCounts(8), EqualCounts(8))
    assert found.nats > TASKS["dense-3x3"].nats + 2
    assert "distinct pairs in 500 samples: counting overestimates the information" in found.warnings[0]
    assert not binned_information(x[:, :1], y[:, :1], EqualCounts(8), EqualCounts(8)).warnings


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (np.array([[np.inf]]), "not finite"),
        (np.array([[0.0], [1e12]]), r"1\.4e\+13 bins of width 0\.07: use wider bins"),
    ],
)
def test_says_what_is_wrong(layer, message):
    with pytest.raises(RequestError, match=message):
        binned_layer(layer, np.zeros(len(layer)), FixedWidth())


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        (lambda: FixedEdges((0.0, 0.0)), "bin edges do not increase"),
        (lambda: FixedEdges(()), "expected at least one"),
        (lambda: FixedWidth(0.0), "the width of bins is 0"),
        (lambda: LayerBounds(0), "number of bins is 0"),
        (lambda: EqualCounts(-1), "number of bins is -1"),
    ],
)
def test_wrong_settings(bins, message):
    with pytest.raises(RequestError, match=message):
        bins()
