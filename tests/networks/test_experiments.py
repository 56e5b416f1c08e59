"""The classic experiments and how they are changed."""

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import FixedEdges, FixedWidth
from nmt_ib.networks.estimators import ESTIMATORS
from nmt_ib.networks.experiments import EXPERIMENTS, MNIST, experiment_of


def test_bins_suit_the_activation():
    assert experiment_of("szt").settings.bins == FixedEdges()
    assert experiment_of("szt", activation="relu").settings.bins == FixedWidth(0.07)
    assert experiment_of("szt", noise=0.2).settings.bins == FixedWidth(0.07)


def test_settings_reach_the_training():
    changed = experiment_of("szt", activation="relu", noise=0.2, orthonormality=0.1, full_batch=True).training
    assert (changed.activation, changed.noise, changed.orthonormality, changed.batch_size) == ("relu", 0.2, 0.1, None)
    assert experiment_of("szt", train_share=0.05).task([0]).train.shape == (1, 205)


@pytest.mark.parametrize("name", sorted(set(EXPERIMENTS) - {MNIST}))
def test_widths_are_those_of_the_task(name):
    experiment = experiment_of(name)
    task = experiment.task([0])
    assert experiment.training.widths[0] == task.inputs.shape[-1]
    assert experiment.training.widths[-1] == task.targets.shape[-1]
    assert set(experiment.estimators) <= set(ESTIMATORS)


def test_widths_of_digits_are_those_of_the_images(tmp_path):
    for prefix in ("train", "t10k"):
        (tmp_path / f"{prefix}-images").write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, *[9] * 12]))
        (tmp_path / f"{prefix}-labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2]))
    widths = experiment_of(MNIST, images=tmp_path).training.widths
    assert (widths[0], widths[-1]) == (4, 3)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("szt2", {}, "unknown experiment 'szt2': expected one of szt"),
        ("mnist", {}, "mnist needs images"),
        ("szt", {"images": "x"}, "mnist needs images"),
        ("saxe-linear", {"train_share": 0.5}, "a fixed split"),
    ],
)
def test_wrong_requests_are_refused(name, settings, message):
    with pytest.raises(RequestError, match=message):
        experiment_of(name, **settings)
