"""How do layers move in the information plane while networks learn? The study that trains and measures them."""

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
from nmt_ib.networks.estimators import ESTIMATORS, NetworkSnapshot, class_distances
from nmt_ib.networks.experiments import Experiment
from nmt_ib.results.information_plane import LayerClusters, LayerGradient, Plane, PlanePoint
from nmt_ib.signature import RunSignature

GROUP = 10  # networks trained at once: their states stay in a core's cache


def groups(seeds: Sequence[int]) -> list[Sequence[int]]:
    """Seeds whose networks are trained at once.

    Args:
        seeds: Of all networks.

    Returns:
        At most ten each.
    """
    return [seeds[start : start + GROUP] for start in range(0, len(seeds), GROUP)]


def measured_epochs(epochs: int, most: int) -> list[int]:
    """Epochs after which layers are measured: 0, then about evenly on a logarithmic scale, as things happen early.

    Args:
        epochs: Of training.
        most: How many at most, the start not counted; fewer where epochs coincide.

    Returns:
        Increasing, the last epoch among them.
    """
    return sorted(
        {0, *(round(epoch) for epoch in np.geomspace(1, max(epochs, 1), most)), epochs}
        - ({1} if epochs == 0 else set())
    )


def information_plane(
    experiment: Experiment,
    seeds: Sequence[int],
    *,
    epochs: int | None = None,
    estimators: Sequence[str] | None = None,
    measurements: int = 60,
    progress: Callable[[int], None] = lambda epochs: None,
) -> Plane:
    """Trains networks, one a seed, and measures their layers on the way.

    Args:
        experiment: Networks and task.
        seeds: One a network; a network does not depend on the others.
        epochs: Of training; None: those of the experiment.
        estimators: Names of `ESTIMATORS`; None: those of the experiment.
        measurements: How many epochs are measured; see `measured_epochs`.
        progress: Is called with 1 after each network's epoch, for ten networks at once with 10.

    Returns:
        Points, and what the gradients and, where the experiment asks for them, the clusters do.

    Raises:
        RequestError: See `check_request`; an estimator does not suit the experiment; or training diverges.
    """
    names = experiment.estimators if estimators is None else estimators
    epochs = experiment.epochs if epochs is None else epochs
    check_request(seeds, epochs=epochs, estimators=names, measurements=measurements)
    when = measured_epochs(epochs, measurements)
    planes = [_plane_of_group(experiment, group, when, names, progress) for group in groups(seeds)]
    return Plane.joined(planes)


def check_request(seeds: Sequence[int], *, epochs: int, estimators: Sequence[str], measurements: int) -> None:
    """Refuses what cannot be run, before anything is.

    Args:
        seeds: One a network.
        epochs: Of training.
        estimators: Names.
        measurements: How many epochs are measured.

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
    """What makes the points of a run.

    Args:
        name: Of the experiment.
        experiment: The experiment.
        seeds: Of all networks.
        epochs: Of training.
        estimators: Names.
        measurements: How many epochs are measured.

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
    when: Sequence[int],
    estimators: Sequence[str],
    progress: Callable[[int], None],
) -> Plane:
    task = experiment.task(seeds)
    networks = BatchedNetworks(experiment.training, seeds, dtype=task.inputs.dtype)
    points: list[PlanePoint] = []
    gradients: list[LayerGradient] = []
    clusters: list[LayerClusters] = []
    for epoch in range(when[-1] + 1):
        if epoch:
            norms = networks.epoch(task.inputs, task.targets, task.train)
            progress(len(seeds))
            if epoch in when:
                gradients += _gradients(networks, norms, seeds, epoch)
        if epoch in when:
            if not networks.parameters.isfinite().all():
                raise RequestError(f"training diverged before epoch {epoch}: try less noise, or another activation")
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
            snapshot.seeds[one.network],
            snapshot.epoch,
            one.layer,
            one.estimator,
            one.i_x_bits,
            one.i_y_bits,
            train[one.network],
            test[one.network],
            one.input_part,
        )  # fmt: skip
        for name in estimators
        for one in ESTIMATORS[name](snapshot)
    ]


def _accuracies(snapshot: NetworkSnapshot) -> tuple[list[float], list[float]]:
    """Of each network on what it learned from and on what it did not, as in `PlanePoint`."""
    task = snapshot.task
    output = snapshot.networks.forward(task.inputs, snapshot.noise(task.inputs.shape[1], "answers"))[1][-1].mT
    targets = task.targets.expand_as(output)
    if snapshot.networks.training.output == "softmax":
        loss, scale = (output.argmax(-1) != targets.argmax(-1)).to(output.dtype), None
    else:
        loss, scale = (output - targets).square().sum(-1), targets
    return _explained(loss, scale, task.train), _explained(loss, scale, task.test)


def _explained(loss: Float[Tensor, "R N"], targets: Float[Tensor, "R N K"] | None, rows: Tensor) -> list[float]:
    mean = loss.gather(1, rows).mean(1)
    if targets is not None:
        chosen = targets.gather(1, rows[:, :, None].expand(-1, -1, targets.shape[-1]))
        mean = mean / chosen.var(1, correction=0).sum(-1)
    return (1 - mean).tolist()


def _gradients(
    networks: BatchedNetworks, norms: Float[Tensor, "2 L R"], seeds: Sequence[int], epoch: int
) -> list[LayerGradient]:
    sizes = torch.stack([*norms, networks.layer_norms(networks.parameters)]).tolist()
    return [
        LayerGradient(seed, epoch, layer + 1, *(kind[layer][network] for kind in sizes))
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
