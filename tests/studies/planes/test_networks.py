"""The information plane of small networks: estimators against each other and against what is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import FixedEdges, FixedWidth
from nmt_ib.networks.batched import BatchedNetworks, NetworkTraining
from nmt_ib.networks.estimators import ESTIMATORS, EstimatorSettings, NetworkSnapshot, class_distances
from nmt_ib.networks.experiments import EXPERIMENTS, Experiment, experiment_of
from nmt_ib.networks.tasks import PlaneTask, teacher_task
from nmt_ib.results.information_plane import LayerGradient, Plane, PlanePoint
from nmt_ib.studies.planes.networks import groups, information_plane, measured_epochs, signature_of


def few_patterns(seeds):
    """All 64 patterns of six bits; Y is whether most of them are set."""
    inputs = torch.from_numpy((np.arange(64)[:, None] >> np.arange(6) & 1).astype(np.float32))
    answers = torch.nn.functional.one_hot((inputs.sum(1) > 3).long(), 2).float()
    rows = torch.arange(64).expand(len(seeds), -1)
    return PlaneTask(inputs[None], answers[None], rows[:, :48], rows[:, 48:])


SMALL = Experiment(NetworkTraining((6, 5, 3, 2), batch_size=16, learning_rate=0.01), few_patterns, 30)


def look_at(training, task, settings, seeds=(0,)):
    return NetworkSnapshot(BatchedNetworks(training, seeds, dtype=task.inputs.dtype), task, settings, seeds, 0)


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


def test_sample_propagation_lies_between_the_bounds_where_the_noise_is_that_of_the_analysis():
    snapshot = look_at(SMALL.training, few_patterns([0, 1]), EstimatorSettings(noise_variance=0.01), (0, 1))
    bounds = {(m.network, m.layer, m.estimator): m for m in ESTIMATORS["kde"](snapshot)}
    for found in ESTIMATORS["sp"](snapshot):
        low, high = (bounds[found.network, found.layer, f"kde-{name}"] for name in ("lower", "upper"))
        assert low.i_x_bits - 0.1 < found.i_x_bits < high.i_x_bits + 0.1


def test_binning_is_the_entropy_of_the_bins():
    snapshot = look_at(SMALL.training, few_patterns([0]), EstimatorSettings())
    codes = [tuple(row) for row in np.digitize(snapshot.layers[1][1][0].T.numpy(), np.linspace(-1, 1, 30))]
    shares = np.array([codes.count(code) for code in set(codes)]) / len(codes)
    found = next(m for m in ESTIMATORS["binning"](snapshot) if m.layer == 2)
    assert found.i_x_bits == pytest.approx(-shares @ np.log2(shares))


def test_noise_inside_of_one_unit_gives_the_information_of_its_channel():
    # Two inputs at tanh(+-atanh(.5)) = +-.5 with noise .5: a binary input over a Gaussian channel, .485944 bits.
    training = NetworkTraining((1, 1, 2), noise=0.5)
    inputs = torch.tensor([-1.0, 1.0]).repeat(500)[:, None]
    answers = torch.nn.functional.one_hot((inputs[:, 0] > 0).long(), 2).float()
    rows = torch.arange(1000)[None]
    snapshot = look_at(training, PlaneTask(inputs[None], answers[None], rows, rows), EstimatorSettings())
    snapshot.networks.weights[0][:] = math.atanh(0.5)
    (found,) = ESTIMATORS["sp"](snapshot)
    assert found.i_x_bits == pytest.approx(0.485944, abs=0.06)
    assert found.i_y_bits == pytest.approx(0.485944, abs=0.06)


def test_exact_information_is_that_of_the_joint_covariance():
    training = replace(EXPERIMENTS["saxe-irrelevant"].training, widths=(100, 4, 1))
    snapshot = look_at(training, teacher_task([2], irrelevant=70), EstimatorSettings(noise_variance=0.5), (2,))
    found = {(m.layer, m.input_part): m for m in ESTIMATORS["exact"](snapshot)}
    w = snapshot.networks.weights[0][0]
    noise = 0.5 * torch.eye(4, dtype=torch.float64)
    whole, irrelevant = (part @ part.T / 100 + noise for part in (w, w[:, 30:]))
    i_relevant = 0.5 * (whole.logdet() - irrelevant.logdet()) / math.log(2)
    assert found[1, "relevant"].i_x_bits == pytest.approx(float(i_relevant))
    teacher = snapshot.task.teacher.weights[0]
    told = w @ teacher / 100
    i_y = -0.5 * torch.log2(1 - told @ whole.inverse() @ told / (teacher @ teacher / 100 + 1))
    assert found[1, "whole"].i_y_bits == pytest.approx(float(i_y))


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


def test_distances_within_and_between_classes_are_those_of_pairs():
    generator = torch.Generator().manual_seed(0)
    states, labels = torch.randn(3, 20, generator=generator, dtype=torch.float64), torch.arange(20) % 3
    squares = torch.cdist(states.T, states.T) ** 2
    same = labels[:, None] == labels
    expected = [float(squares[where].mean().sqrt()) for where in (same, ~same)]
    assert class_distances(states, labels) == pytest.approx(expected)


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


def test_bins_fit_the_activation():
    assert experiment_of("szt").settings.bins == FixedEdges()
    assert experiment_of("szt", activation="relu").settings.bins == FixedWidth(0.07)
    assert experiment_of("szt", noise=0.2).settings.bins == FixedWidth(0.07)
    assert experiment_of("szt", full_batch=True).training.batch_size is None
    assert experiment_of("szt", train_share=0.05).task([0]).train.shape == (1, 205)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: experiment_of("szt2"), "unknown experiment 'szt2': expected one of szt"),
        (lambda: experiment_of("mnist"), "mnist needs --images"),
        (lambda: experiment_of("szt", images="x"), "mnist needs --images"),
        (lambda: experiment_of("saxe-linear", train_share=0.5), "its own split"),
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
