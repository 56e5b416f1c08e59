"""The information plane of small networks: estimators against each other and against what is known."""

from dataclasses import replace

import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.networks.batched import BatchedNetworks
from nmt_ib.networks.experiments import EXPERIMENTS, experiment_of
from nmt_ib.networks.tasks import teacher_task
from nmt_ib.results.information_plane import LayerGradient, Plane, PlanePoint
from nmt_ib.studies.planes.networks import groups, information_plane, measured_epochs, signature_of
from tests.tiny_networks import SMALL


def test_a_seed_does_not_depend_on_the_others():
    together = information_plane(SMALL, [3, 8], measurements=4)
    alone = information_plane(SMALL, [8], measurements=4)
    theirs = [point for point in together if point.seed == 8]
    assert [(p.epoch, p.layer, p.estimator) for p in theirs] == [(p.epoch, p.layer, p.estimator) for p in alone]
    assert [p.i_x_bits for p in theirs] == pytest.approx([p.i_x_bits for p in alone], abs=1e-3)


def test_measuring_does_not_change_what_is_learned():
    noisy = replace(SMALL, training=replace(SMALL.training, noise=0.1), estimators=("binning",))
    often, seldom = (information_plane(noisy, [0], measurements=most)[-1] for most in (20, 1))
    assert often == seldom


def test_networks_learn_and_the_plane_says_so():
    plane = information_plane(replace(SMALL, epochs=300), [0, 1], estimators=["binning"], measurements=5)
    ends = [point for point in plane if point.epoch == 300 and point.layer == 3]
    assert all(point.train_accuracy > 0.95 for point in ends)
    assert all(0 <= point.i_y_bits <= min(point.i_x_bits, plane.i_xy_bits) + 1e-9 for point in plane)
    assert all(point.i_x_bits <= plane.h_x_bits + 1e-9 for point in plane)
    assert plane.h_x_bits == 6
    rows = [row for row in plane.gradients if row.epoch == 300]
    assert [row.layer for row in rows if row.seed == 0] == [1, 2, 3]
    assert all(row.signal_to_noise > 0 for row in rows)


def test_accuracy_of_a_linear_network_is_the_variance_that_it_explains():
    plane = information_plane(experiment_of("saxe-linear"), [0], epochs=0)
    task = teacher_task([0])
    output = BatchedNetworks(EXPERIMENTS["saxe-linear"].training, [0], torch.float64).forward(task.inputs)[1][-1][0, 0]
    answers = task.targets[0, :100, 0]
    left = ((output[:100] - answers) ** 2).mean() / answers.var(correction=0)
    assert plane[0].train_accuracy == pytest.approx(1 - float(left))


def test_irrelevant_inputs_are_forgotten_and_the_whole_is_not():
    plane = information_plane(experiment_of("saxe-irrelevant"), [0], epochs=200, measurements=2)
    before, after = ({p.input_part: p.i_x_bits for p in plane if (p.layer, p.epoch) == (2, e)} for e in (0, 200))
    assert before["irrelevant"] > 0.1 > 5 * after["irrelevant"]
    assert after["relevant"] > 1 > before["relevant"]
    assert after["whole"] > before["whole"]


def test_epochs_are_measured_from_the_first_to_the_last():
    assert measured_epochs(8000, 5) == [0, 1, 9, 89, 846, 8000]
    assert measured_epochs(3, 50) == [0, 1, 2, 3]
    assert measured_epochs(7, 1) == [0, 1, 7]
    assert measured_epochs(0, 5) == [0]


def test_ten_networks_are_trained_at_once():
    assert [len(group) for group in groups(range(3, 26))] == [10, 10, 3]


def test_clusters_are_looked_at_where_the_experiment_asks():
    plane = information_plane(replace(SMALL, clusters=True), [0], epochs=0, estimators=["binning"])
    assert [row.binned_entropy_bits for row in plane.clusters] == pytest.approx([p.i_x_bits for p in plane])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: information_plane(SMALL, [0], estimators=["mine"]), "unknown estimator 'mine'"),
        (lambda: information_plane(SMALL, [0], estimators=["exact"]), "linear network"),
        (lambda: information_plane(SMALL, []), "at least one seed"),
        (
            lambda: information_plane(
                replace(EXPERIMENTS["saxe-linear"], training=replace(SMALL.training, widths=(100, 9, 1),
                activation="linear", output="linear", optimizer="sgd", learning_rate=1e9)), [0], epochs=60,
            ),
            "training diverged",
        ),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused(call, message):
    with pytest.raises(RequestError, match=message):
        call()


def test_signature_tells_runs_apart():
    settings = {"epochs": 3, "estimators": ["binning"], "measurements": 2}
    one = signature_of("small", SMALL, [0, 1], **settings)
    assert one.difference(signature_of("small", SMALL, [0, 1], **settings).to_dict()) is None
    other = replace(SMALL, training=replace(SMALL.training, noise=0.1))
    assert "noise" in one.difference(signature_of("small", other, [0, 1], **settings).to_dict())


def test_plane_goes_to_plain_data_and_back():
    plane = information_plane(replace(SMALL, clusters=True), [0, 1], epochs=2)
    assert Plane.from_dict(plane.to_dict()) == plane
    assert len(plane.to_dataframe()) == len(plane)
    assert "kde-lower" in plane._repr_html_()
    assert {"seed", "epoch", "layer", "estimator", "i_x_bits", "i_y_bits", "train_accuracy"} <= set(
        plane.to_dict()["points"][0]
    )


def test_path_is_the_mean_over_seeds():
    points = tuple(PlanePoint(seed, epoch, 1, "sp", seed + epoch, 0.5, 1, 1) for seed in (1, 3) for epoch in (5, 0))
    assert Plane(points).path(1, "sp") == [(0, 2, 0.5), (5, 7, 0.5)]
    assert Plane(points).path(2, "sp") == []
    joined = Plane.joined([Plane(points, i_xy_bits=1.0), Plane(points, i_xy_bits=3.0)])
    assert (len(joined), joined.i_xy_bits) == (8, 2)


def known(estimator, *layers, part="whole"):
    """Points of one epoch; of each layer, I(X;T) and I(T;Y) of each network."""
    return tuple(
        PlanePoint(seed, 3, layer, estimator, *bits, 1, 1, part)
        for layer, networks in enumerate(layers, start=1)
        for seed, bits in enumerate(networks)
    )


def test_a_layer_that_seems_to_know_more_than_an_earlier_one_is_named():
    points = known("sp", [(4, 1), (4, 1)], [(5, 0.5), (5.5, 0.6)], [(2, 0.7), (2, 0.7)])
    x, y = Plane(points).warnings
    assert x.startswith("sp: I(X;T) of layer 2 exceeds that of layer 1 by up to 1.250 bits (epoch 3): no Markov chain")
    assert y.startswith("sp: I(T;Y) of layer 3 exceeds that of layer 2 by up to 0.150 bits")
    assert Plane.from_dict(Plane(points).to_dict()).warnings == (x, y)


def test_a_rise_within_the_spread_over_networks_or_of_rounding_is_not():
    assert Plane(known("sp", [(4, 1), (4, 1)], [(5, 1.0004), (3.5, 1.0004)])).warnings == ()


def test_parts_of_the_input_share_what_is_said_of_the_answer():
    layers = [(4, 0.1)], [(4.5, 0.2)]
    warnings = Plane(known("exact", *layers, part="relevant") + known("exact", *layers, part="irrelevant")).warnings
    assert [warning.partition(" of layer")[0] for warning in warnings] == [
        "exact: I(X;T) of relevant inputs", "exact: I(T;Y)", "exact: I(X;T) of irrelevant inputs"
    ]  # fmt: skip


def test_noise_of_each_layer_on_its_own_is_no_markov_chain():
    plane = information_plane(experiment_of("saxe-linear"), [0, 1, 2], epochs=150, measurements=2)
    assert any("exact: I(T;Y) of layer 2 exceeds" in warning and "on its own" in warning for warning in plane.warnings)


def test_one_step_has_no_noise():
    assert LayerGradient(0, 1, 1, 2.0, 0.5, 1.0).signal_to_noise == 4
    assert LayerGradient(0, 1, 1, 2.0, 0.0, 1.0).signal_to_noise is None
