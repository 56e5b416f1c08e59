"""Layers of small networks during training, compared with the information-bottleneck curve of their task."""

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
    """One layer of one network after one epoch, compared with the optimal curve of its task.

    Attributes:
        seed: Seed of the network.
        epoch: Number of training epochs so far.
        layer: 1 for the first hidden layer; the last is the output.
        fit: Exact I(X;T) and I(T;Y) of the binned states, and their position relative to the curve.
        sufficient_bits: I(S;T) <= I(X;T), S being the minimal sufficient statistic of X for Y, its p(y|x); the rest of
            I(X;T) is zero for optimal encoders.
        encoder_beta: The beta that fits the encoder rather than its position in the plane, see `fitting_beta`.
    """

    seed: int
    epoch: int
    layer: int
    fit: LayerFit
    sufficient_bits: float
    encoder_beta: float | None


def ib_curve_of_task(task: PlaneTask, betas: Float[np.ndarray, " B"]) -> IBCurve:
    """The optimal curve of a task whose measured inputs are the whole population.

    Args:
        task: Inputs, with uniform p(x), and p(y|x).
        betas: Lagrange multipliers beta.

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
    """Trains one network for each seed and compares its layers with the optimal curve during training.

    Args:
        experiment: Networks, task and binning of the states.
        seeds: Seed of each network.
        curve: See `ib_curve_of_task`.
        epochs: Epochs after which layers are measured; 0: before the first.
        progress: Called after each epoch with the number of networks.

    Returns:
        Layers, ordered by epoch, seed and layer.
    """
    task = experiment.task(seeds)
    table = JointTable.of(_joint(task))
    networks = BatchedNetworks(experiment.training, seeds, dtype=task.inputs.dtype)
    rows: list[LayerAtLimit] = []
    for epoch in range(max(epochs) + 1):
        if epoch:
            networks.epoch(task.inputs, task.targets, task.train)
            progress(len(seeds))
        if epoch in epochs:
            rows += _compared(NetworkSnapshot(networks, task, experiment.settings, seeds, epoch), table, curve)
    return rows


def _compared(snapshot: NetworkSnapshot, table: JointTable, curve: IBCurve) -> Iterator[LayerAtLimit]:
    for network, seed in enumerate(snapshot.seeds):
        for layer, states in enumerate(snapshot.layers[1], start=1):
            codes = joint_code(*snapshot.settings.bins(states[network].T.numpy()))
            encoder = encoder_of_codes(table, codes)
            i_s, i_y = (float(nats[0]) * BITS_PER_NAT for nats in information(table, encoder[None]))
            i_x = entropy_nats(np.bincount(codes) / len(codes)) * BITS_PER_NAT
            fit = curve.fit(f"layer {layer}", i_x, i_y)
            yield LayerAtLimit(seed, snapshot.epoch, layer, fit, i_s, fitting_beta(table, encoder))


def _joint(task: PlaneTask) -> Float[np.ndarray, "S K"]:
    p = task.probabilities.double().numpy()
    return p / p.sum()
