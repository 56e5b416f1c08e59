"""How near do layers come to the limit of the information bottleneck while networks learn, and at which beta?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nmt_ib.info.blahut_arimoto import information
from nmt_ib.info.discrete import joint_code
from nmt_ib.info.fitting_beta import encoder_of_codes, fitting_beta
from nmt_ib.info.ib_limit import ib_curve
from nmt_ib.info.joint_table import JointTable, entropy_nats
from nmt_ib.networks.batched import BatchedNetworks
from nmt_ib.networks.experiments import Experiment
from nmt_ib.networks.snapshots import NetworkSnapshot
from nmt_ib.networks.tasks import PlaneTask
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.ib_curve import IBCurve, LayerFit


@dataclass(frozen=True)
class LayerAtLimit:
    """One layer of one network after one epoch, against the optimal curve of its task.

    Attributes:
        seed: Of the network.
        epoch: Epochs of training before.
        layer: 1 for the first hidden layer; the last is the output.
        fit: Exact I(X;T) and I(T;Y) of its binned states, and where they lie against the curve.
        told_bits: The part of I(X;T) that tells apart x of different p(y|x); the rest no optimal encoder has.
        encoder_beta: The beta that fits its encoder rather than its place, see `fitting_beta`.
    """

    seed: int
    epoch: int
    layer: int
    fit: LayerFit
    told_bits: float
    encoder_beta: float | None


def limit_of(task: PlaneTask, betas: Float[np.ndarray, " B"]) -> IBCurve:
    """The optimal curve of a task whose measured inputs are all there are.

    Args:
        task: Inputs, equally likely, and p(y|x).
        betas: Prices of ignorance.

    Returns:
        The curve.
    """
    return ib_curve(_joint(task), betas)


def layers_at_limit(
    experiment: Experiment,
    seeds: Sequence[int],
    curve: IBCurve,
    *,
    epochs: Sequence[int],
    progress: Callable[[int], object] = lambda epochs: None,
) -> list[LayerAtLimit]:
    """Trains networks, one a seed, and holds their layers against the optimal curve on the way.

    Args:
        experiment: Networks and task; their states are cut into its bins.
        seeds: One a network.
        curve: See `limit_of`.
        epochs: After which layers are measured, 0 for before the first.
        progress: Is called with the number of networks after each epoch.

    Returns:
        By epoch, seed and layer.
    """
    task = experiment.task(seeds)
    table = JointTable.of(_joint(task))
    networks = BatchedNetworks(experiment.training, seeds, dtype=task.inputs.dtype)
    found: list[LayerAtLimit] = []
    for epoch in range(max(epochs) + 1):
        if epoch:
            networks.epoch(task.inputs, task.targets, task.train)
            progress(len(seeds))
        if epoch in epochs:
            found += _held(NetworkSnapshot(networks, task, experiment.settings, seeds, epoch), table, curve)
    return found


def _held(snapshot: NetworkSnapshot, table: JointTable, curve: IBCurve) -> Iterator[LayerAtLimit]:
    for network, seed in enumerate(snapshot.seeds):
        for layer, states in enumerate(snapshot.layers[1], start=1):
            codes = joint_code(*snapshot.settings.bins(states[network].T.numpy()))
            encoder = encoder_of_codes(table, codes)
            told, i_y = (float(nats[0]) * BITS_PER_NAT for nats in information(table, encoder[None]))
            i_x = entropy_nats(np.bincount(codes) / len(codes)) * BITS_PER_NAT
            fit = curve.fit(f"layer {layer}", i_x, i_y)
            yield LayerAtLimit(seed, snapshot.epoch, layer, fit, told, fitting_beta(table, encoder))


def _joint(task: PlaneTask) -> Float[np.ndarray, "S K"]:
    p = task.probabilities.double().numpy()
    return p / p.sum()
