"""Information plane of small networks during training."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from hashlib import sha256

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import binned_layer, described
from nmt_ib.networks.batched import BatchedNetworks
from nmt_ib.networks.class_distances import class_distances
from nmt_ib.networks.estimators import ESTIMATORS, estimate_layers
from nmt_ib.networks.experiments import Experiment
from nmt_ib.networks.snapshots import NetworkSnapshot
from nmt_ib.results.information_plane import LayerClusters, LayerGradient, Plane, PlanePoint
from nmt_ib.signature import RunSignature

GROUP = 10  # networks trained together: their states fit in a core's cache


def groups(seeds: Sequence[int]) -> list[Sequence[int]]:
    """Seeds of the networks that are trained together.

    Args:
        seeds: Seeds of all networks.

    Returns:
        Groups of at most ten.
    """
    return [seeds[start : start + GROUP] for start in range(0, len(seeds), GROUP)]


def measured_epochs(epochs: int, measurements: int) -> list[int]:
    """Epochs after which layers are measured: 0, then about evenly spaced on a logarithmic scale.

    Args:
        epochs: Number of training epochs.
        measurements: Maximum number of measured epochs after the first step; fewer if rounded epochs coincide.

    Returns:
        Increasing epochs, 0 and the last one included.
    """
    if epochs == 0:
        return [0]
    return sorted({0, *(round(epoch) for epoch in np.geomspace(1, epochs, measurements)), epochs})


def information_plane(
    experiment: Experiment,
    seeds: Sequence[int],
    *,
    epochs: int | None = None,
    estimators: Sequence[str] | None = None,
    measurements: int = 60,
    progress: Callable[[int], object] = lambda epochs: None,
) -> Plane:
    """Trains one network for each seed and measures its layers during training.

    Args:
        experiment: Networks and task.
        seeds: Seed of each network; a network does not depend on the others.
        epochs: Number of training epochs; None: that of the experiment.
        estimators: Names of `nmt_ib.networks.estimators.ESTIMATORS`; None: those of the experiment.
        measurements: Maximum number of measured epochs; see `measured_epochs`.
        progress: Called after each epoch with the number of networks that are trained together.

    Returns:
        Points, gradients and, if the experiment measures them, clusters.

    Raises:
        RequestError: See `check_request`; an estimator does not suit the experiment; or training diverges.
    """
    names = experiment.estimators if estimators is None else estimators
    epochs = experiment.epochs if epochs is None else epochs
    check_request(seeds, epochs=epochs, estimators=names, measurements=measurements)
    measured = measured_epochs(epochs, measurements)
    planes = [_plane_of_group(experiment, group, measured, names, progress) for group in groups(seeds)]
    return Plane.joined(planes)


def check_request(seeds: Sequence[int], *, epochs: int, estimators: Sequence[str], measurements: int) -> None:
    """Checks a request before anything is trained.

    Args:
        seeds: Seed of each network.
        epochs: Number of training epochs.
        estimators: Names of estimators.
        measurements: Maximum number of measured epochs.

    Raises:
        RequestError: There are no seeds, an estimator is unknown, or a number is too small.
    """
    if not seeds or epochs < 0 or measurements < 1:
        raise RequestError("expected at least one seed, 0 epochs or more, and 1 measurement or more")
    for name in estimators:
        if name not in ESTIMATORS:
            raise RequestError(f"unknown estimator {name!r}: expected one of {', '.join(ESTIMATORS)}")


def signature_of(
    name: str,
    experiment: Experiment,
    seeds: Sequence[int],
    *,
    epochs: int,
    estimators: Sequence[str],
    measurements: int,
) -> RunSignature:
    """Everything that the points of a run depend on.

    Args:
        name: Name of the experiment.
        experiment: The experiment.
        seeds: Seeds of all networks.
        epochs: Number of training epochs.
        estimators: Names of estimators.
        measurements: Maximum number of measured epochs.

    Returns:
        The signature.
    """
    task = experiment.task(seeds[:1])
    digest = sha256(task.inputs.numpy().tobytes() + task.targets.numpy().tobytes() + task.train.numpy().tobytes())
    settings = {
        "training": {**asdict(experiment.training), "widths": list(experiment.training.widths)},
        "epochs": epochs,
        "estimators": list(estimators),
        "measurements": measurements,
        "bins": described(experiment.settings.bins)["name"],
        "noise_variance": experiment.settings.noise_variance,
        "seeds": len(seeds),
    }
    return RunSignature("plane", name, "", {"examples": digest.hexdigest()[:16]}, settings, seeds[0])


def _plane_of_group(
    experiment: Experiment,
    seeds: Sequence[int],
    measured: Sequence[int],
    estimators: Sequence[str],
    progress: Callable[[int], object],
) -> Plane:
    task = experiment.task(seeds)
    networks = BatchedNetworks(experiment.training, seeds, dtype=task.inputs.dtype)
    points: list[PlanePoint] = []
    gradients: list[LayerGradient] = []
    clusters: list[LayerClusters] = []
    for epoch in range(measured[-1] + 1):
        if epoch:
            norms = networks.epoch(task.inputs, task.targets, task.train)
            progress(len(seeds))
            if epoch in measured:
                gradients += _gradients(networks, norms, seeds, epoch)
        if epoch in measured:
            if not networks.parameters.isfinite().all():
                raise RequestError(f"training diverged before epoch {epoch}: reduce the noise or change the activation")
            snapshot = NetworkSnapshot(networks, task, experiment.settings, seeds, epoch)
            points += _points(snapshot, estimators)
            clusters += _clusters(snapshot) if experiment.clusters else []
    return Plane(
        tuple(sorted(points, key=lambda point: (point.seed, point.epoch))),
        tuple(sorted(gradients, key=lambda row: (row.seed, row.epoch))),
        tuple(sorted(clusters, key=lambda row: (row.seed, row.epoch))),
        h_x_bits=task.h_x_bits,
        i_xy_bits=task.i_xy_bits,
        notes=task.notes,
    )


def _points(snapshot: NetworkSnapshot, estimators: Sequence[str]) -> list[PlanePoint]:
    train, test = _accuracies(snapshot)
    return [
        PlanePoint(
            snapshot.seeds[found.network],
            snapshot.epoch,
            found.layer,
            found.estimator,
            found.i_x_bits,
            found.i_y_bits,
            train[found.network],
            test[found.network],
            found.input_part,
        )
        for found in estimate_layers(snapshot, estimators)
    ]


def _accuracies(snapshot: NetworkSnapshot) -> tuple[list[float], list[float]]:
    """Training and test accuracy of each network, as in `PlanePoint`."""
    task = snapshot.task
    output = snapshot.networks.forward(task.inputs, snapshot.noise(task.inputs.shape[1], "answers"))[1][-1].mT
    targets = task.targets.expand_as(output)
    if snapshot.networks.training.output == "softmax":
        loss, scale = (output.argmax(-1) != targets.argmax(-1)).to(output.dtype), None
    else:
        loss, scale = (output - targets).square().sum(-1), targets
    return _explained(loss, scale, task.train), _explained(loss, scale, task.test)


def _explained(loss: Float[Tensor, "R N"], targets: Float[Tensor, "R N K"] | None, rows: Tensor) -> list[float]:
    """1 - mean loss, or the explained share of the targets' variance."""
    mean = loss.gather(1, rows).mean(1)
    if targets is not None:
        chosen = targets.gather(1, rows[:, :, None].expand(-1, -1, targets.shape[-1]))
        mean = mean / chosen.var(1, correction=0).sum(-1)
    return (1 - mean).tolist()


def _gradients(
    networks: BatchedNetworks, norms: Float[Tensor, "2 L R"], seeds: Sequence[int], epoch: int
) -> list[LayerGradient]:
    all_norms = torch.stack([*norms, networks.layer_norms(networks.parameters)]).tolist()
    return [
        LayerGradient(seed, epoch, layer + 1, *(kind[layer][network] for kind in all_norms))
        for network, seed in enumerate(seeds)
        for layer in range(len(networks.weights))
    ]


def _clusters(snapshot: NetworkSnapshot) -> list[LayerClusters]:
    rows = []
    for layer, states in enumerate(snapshot.layers[1], start=1):
        for network, seed in enumerate(snapshot.seeds):
            binned = binned_layer(states[network].T, snapshot.task.labels, snapshot.settings.bins).i_x
            distances = class_distances(states[network], snapshot.task.labels)
            rows.append(LayerClusters(seed, snapshot.epoch, layer, *distances, binned.bits))
    return rows
