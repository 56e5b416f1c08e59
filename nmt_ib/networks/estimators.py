"""Estimators of I(X;T) and I(T;Y) of the layers of small networks, by name."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import binned_layer
from nmt_ib.info.gaussian import linear_input_nats, linear_output_nats
from nmt_ib.info.kde import kde_layer
from nmt_ib.info.sample_propagation import mixture_entropy, sp_information
from nmt_ib.networks.snapshots import NetworkSnapshot
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.information_plane import EXACT, IRRELEVANT, RELEVANT, WHOLE
from nmt_ib.seeding import sentence_generator

DRAWS = 1  # noise draws around each state: enough, as there are thousands of states
PASSED_INPUTS, PASSES = 24, 128  # inputs, and forward passes of each, that estimate h(T|x)


@dataclass(frozen=True)
class LayerEstimate:
    """Information of one layer of one network.

    Attributes:
        network: Index of the network in the batch.
        layer: Number of the layer, from 1.
        estimator: As in `PlanePoint`.
        i_x_bits: I(X;T), or the information about a part of the input.
        i_y_bits: I(T;Y).
        input_part: That part: "whole", "relevant" or "irrelevant".
    """

    network: int
    layer: int
    estimator: str
    i_x_bits: float
    i_y_bits: float
    input_part: str = WHOLE


Estimator = Callable[[NetworkSnapshot], Iterator[LayerEstimate]]


def binned(snapshot: NetworkSnapshot) -> Iterator[LayerEstimate]:
    """Information of the binned states.

    Args:
        snapshot: Networks.

    Yields:
        One estimate for each network and layer.
    """
    for network, layer, states in _layers(snapshot):
        found = binned_layer(states, snapshot.task.labels, snapshot.settings.bins)
        yield LayerEstimate(network, layer, "binning", found.i_x.bits, found.i_y.bits)


def kernel_bounds(snapshot: NetworkSnapshot) -> Iterator[LayerEstimate]:
    """Kolchinsky & Tracey's bounds for states to which noise is added for the analysis.

    Args:
        snapshot: Networks.

    Yields:
        The lower and the upper bound for each network and layer.
    """
    for network, layer, states in _layers(snapshot):
        bounds = kde_layer(states, snapshot.task.labels, snapshot.settings.noise_variance)
        for name, found in zip(("kde-lower", "kde-upper"), bounds, strict=True):
            yield LayerEstimate(network, layer, name, found.i_x.bits, found.i_y.bits)


def sample_propagation(snapshot: NetworkSnapshot) -> Iterator[LayerEstimate]:
    """Goldfeld et al.'s estimator.

    Networks with internal noise are measured with that noise, hidden layers only. Otherwise noise is added for the
    analysis: then the measured states are the whole population, only the noise draws are random, and the estimate must
    lie between the bounds of `kernel_bounds`.

    Args:
        snapshot: Networks.

    Yields:
        One estimate for each network and layer.
    """
    if snapshot.networks.training.noise:
        yield from _with_internal_noise(snapshot)
        return
    sigma = snapshot.settings.noise_variance**0.5
    for network, layer, states in _layers(snapshot):
        i_x, i_y = (
            sp_information(states, y, sigma, draws=DRAWS, seed=snapshot.seeds[network]).bits
            for y in (torch.arange(len(states)), snapshot.task.labels)
        )
        yield LayerEstimate(network, layer, "sp", i_x, i_y)


def exact_linear(snapshot: NetworkSnapshot) -> Iterator[LayerEstimate]:
    """Exact information of the layers of linear networks with a linear teacher, noise being added for the analysis.

    Args:
        snapshot: Networks.

    Yields:
        One value for each network and layer, and one for each part of the input if some inputs are irrelevant.

    Raises:
        RequestError: The networks are not linear, or have no linear teacher.
    """
    teacher, training = snapshot.task.teacher, snapshot.networks.training
    if teacher is None or training.activation != "linear" or training.output != "linear" or training.noise:
        raise RequestError("exact information needs a linear network without noise and a linear teacher")
    covariance = (torch.eye(training.widths[0]) * teacher.input_variance).double().numpy()
    parts = {WHOLE: None, RELEVANT: range(teacher.relevant), IRRELEVANT: range(teacher.relevant, training.widths[0])}
    for network in range(len(snapshot.seeds)):
        product = torch.eye(training.widths[0], dtype=torch.float64)
        truth = teacher.weights[network : network + 1].numpy()
        for layer, weight in enumerate(snapshot.networks.weights, start=1):
            product = weight[network].double() @ product
            w, variance = product.numpy(), snapshot.settings.noise_variance
            i_y = linear_output_nats(w, truth, covariance, variance, teacher.noise_variance)
            for part, inputs in parts.items() if teacher.relevant < training.widths[0] else [(WHOLE, None)]:
                i_x = linear_input_nats(w, covariance, variance, inputs)
                yield _in_bits(network, layer, EXACT, i_x, i_y, part)


ESTIMATORS: dict[str, Estimator] = {
    "binning": binned,
    "kde": kernel_bounds,
    "sp": sample_propagation,
    EXACT: exact_linear,
}


def estimate_layers(snapshot: NetworkSnapshot, estimators: Iterable[str]) -> list[LayerEstimate]:
    """Information of each layer of each network, by one or several estimators.

    Args:
        snapshot: Networks.
        estimators: Names of `ESTIMATORS`.

    Returns:
        By estimator, network and layer.
    """
    return [estimate for name in estimators for estimate in ESTIMATORS[name](snapshot)]


def _layers(snapshot: NetworkSnapshot) -> Iterator[tuple[int, int, Float[Tensor, "S D"]]]:
    """Network, layer and its states, noise included."""
    for network in range(len(snapshot.seeds)):
        for layer, states in enumerate(snapshot.layers[1], start=1):
            yield network, layer, states[network].T


def _with_internal_noise(snapshot: NetworkSnapshot) -> Iterator[LayerEstimate]:
    """I(X;T) = h(T) - mean of h(T|x), I(T;Y) = h(T) - mean of h(T|y); the noise below T differs between passes."""
    sigma = snapshot.networks.training.noise
    inputs, labels = snapshot.task.measured_inputs, snapshot.task.labels
    chosen = torch.randperm(inputs.shape[1], generator=sentence_generator(0, "passed inputs"))[:PASSED_INPUTS]
    repeated = inputs[:, chosen].repeat_interleave(PASSES, dim=1)
    passes = snapshot.networks.forward(repeated, snapshot.noise(repeated.shape[1], "passes"))[0]
    for network, seed in enumerate(snapshot.seeds):
        for layer, (all_states, same_input) in enumerate(
            zip(snapshot.layers[0][:-1], passes[:-1], strict=True), start=1
        ):
            states = all_states[network].T
            h_t = float(mixture_entropy(states, sigma, draws=DRAWS, seed=seed))
            h_t_given_x = [
                float(mixture_entropy(one, sigma, draws=DRAWS, seed=seed))
                for one in same_input[network].T.split(PASSES)
            ]
            i_y = float(sp_information(states, labels, sigma, draws=DRAWS, seed=seed))
            yield _in_bits(network, layer, "sp", h_t - sum(h_t_given_x) / len(h_t_given_x), i_y)


def _in_bits(network: int, layer: int, name: str, i_x_nats: float, i_y_nats: float, part: str = WHOLE) -> LayerEstimate:
    return LayerEstimate(network, layer, name, i_x_nats * BITS_PER_NAT, i_y_nats * BITS_PER_NAT, part)
