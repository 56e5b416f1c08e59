"""The information that layers of networks have of input and answer, by the names of estimators."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import Bins, FixedEdges, binned_layer
from nmt_ib.info.gaussian import linear_input_nats, linear_output_nats
from nmt_ib.info.kde import kde_layer
from nmt_ib.info.sample_propagation import mixture_entropy, sp_information
from nmt_ib.networks.batched import BatchedNetworks
from nmt_ib.networks.tasks import PlaneTask
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.information_plane import EXACT, IRRELEVANT, RELEVANT, WHOLE
from nmt_ib.seeding import sentence_generator

DRAWS = 1  # of noise around each state: thousands of states make up for it
PASSED_INPUTS, PASSES = 24, 128  # for what noise below a layer leaves unsure of it


@dataclass(frozen=True)
class EstimatorSettings:
    """What the estimators take for granted of a network.

    Attributes:
        bins: How units are cut.
        noise_variance: Of Gaussian noise that is added to states for the analysis alone, where the network has none.
    """

    bins: Bins = FixedEdges()  # noqa: RUF009 - frozen
    noise_variance: float = 1e-3


@dataclass(frozen=True)
class NetworkSnapshot:
    """Networks at one moment.

    Attributes:
        networks: The networks.
        task: Their examples.
        settings: What the estimators take for granted.
        seeds: One a network.
        epoch: Epochs of training before.
    """

    networks: BatchedNetworks
    task: PlaneTask
    settings: EstimatorSettings
    seeds: Sequence[int]
    epoch: int

    @cached_property
    def layers(self) -> tuple[list[Float[Tensor, "R _ S"]], list[Float[Tensor, "R _ S"]]]:
        """States of all layers for the measured inputs, before and with the networks' own noise."""
        inputs = self.task.measured_inputs
        return self.networks.forward(inputs, self.noise(inputs.shape[1], "states"))

    def noise(self, examples: int, purpose: str) -> list[Float[Tensor, "R _ N"]] | None:
        """Noise for the networks that their training does not miss.

        Args:
            examples: Number of examples.
            purpose: Different purposes get different noise.

        Returns:
            See `BatchedNetworks.draw_noise`.
        """
        generators = [sentence_generator(seed, f"{purpose} {self.epoch}") for seed in self.seeds]
        return self.networks.draw_noise(examples, generators)


@dataclass(frozen=True)
class Measured:
    """Information of one layer of one network.

    Attributes:
        network: Number in the batch.
        layer: From 1.
        estimator: As in `PlanePoint`.
        i_x_bits: I(X;T), or of a part of the input.
        i_y_bits: I(T;Y).
        input_part: The part.
    """

    network: int
    layer: int
    estimator: str
    i_x_bits: float
    i_y_bits: float
    input_part: str = WHOLE


Estimator = Callable[[NetworkSnapshot], Iterator[Measured]]


def binned(snapshot: NetworkSnapshot) -> Iterator[Measured]:
    """Entropy of states that are cut into bins.

    Args:
        snapshot: Networks.

    Yields:
        One for each network and layer.
    """
    for network, layer, states in _each(snapshot):
        found = binned_layer(states, snapshot.task.labels, snapshot.settings.bins)
        yield _measured(network, layer, "binning", float(found.i_x), float(found.i_y))


def kernel_bounds(snapshot: NetworkSnapshot) -> Iterator[Measured]:
    """Kolchinsky & Tracey's bounds, of states to which noise is added for the analysis.

    Args:
        snapshot: Networks.

    Yields:
        The lower and the upper bound for each network and layer.
    """
    for network, layer, states in _each(snapshot):
        bounds = kde_layer(states, snapshot.task.labels, snapshot.settings.noise_variance)
        for name, found in zip(("kde-lower", "kde-upper"), bounds, strict=True):
            yield _measured(network, layer, name, float(found.i_x), float(found.i_y))


def sample_propagated(snapshot: NetworkSnapshot) -> Iterator[Measured]:
    """Goldfeld's estimator.

    Where networks have noise inside, of that noise, for hidden layers. Where they have none, of the noise of the
    analysis: then the measured states are all there are, only the draws are random, and the value must lie between
    the bounds of `kernel_bounds`.

    Args:
        snapshot: Networks.

    Yields:
        One for each network and layer.
    """
    if snapshot.networks.training.noise:
        yield from _noisy(snapshot)
        return
    sigma = snapshot.settings.noise_variance**0.5
    for network, layer, states in _each(snapshot):
        i_x, i_y = (
            float(sp_information(states, y, sigma, draws=DRAWS, seed=snapshot.seeds[network]))
            for y in (torch.arange(len(states)), snapshot.task.labels)
        )
        yield _measured(network, layer, "sp", i_x, i_y)


def exact_linear(snapshot: NetworkSnapshot) -> Iterator[Measured]:
    """Exact information of a linear network's layers, with noise added for the analysis, of its teacher's problem.

    Args:
        snapshot: Networks.

    Yields:
        One for each network and layer, and one for each part of the input where some of it is irrelevant.

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
                yield _measured(network, layer, EXACT, i_x, i_y, part)


ESTIMATORS: dict[str, Estimator] = {
    "binning": binned,
    "kde": kernel_bounds,
    "sp": sample_propagated,
    EXACT: exact_linear,
}


def _each(snapshot: NetworkSnapshot) -> Iterator[tuple[int, int, Float[Tensor, "S D"]]]:
    for network in range(len(snapshot.seeds)):
        for layer, states in enumerate(snapshot.layers[1], start=1):
            yield network, layer, states[network].T


def _noisy(snapshot: NetworkSnapshot) -> Iterator[Measured]:
    """I(X;T) = h(T) - mean of h(T|x), I(T;Y) = h(T) - mean of h(T|y); the noise below T differs between passes."""
    sigma = snapshot.networks.training.noise
    inputs, labels = snapshot.task.measured_inputs, snapshot.task.labels
    chosen = torch.randperm(inputs.shape[1], generator=sentence_generator(0, "passed inputs"))[:PASSED_INPUTS]
    again = inputs[:, chosen].repeat_interleave(PASSES, dim=1)
    passed = snapshot.networks.forward(again, snapshot.noise(again.shape[1], "passes"))[0]
    for network, seed in enumerate(snapshot.seeds):
        for layer, (all_states, same_input) in enumerate(
            zip(snapshot.layers[0][:-1], passed[:-1], strict=True), start=1
        ):
            states = all_states[network].T
            h_t = float(mixture_entropy(states, sigma, draws=DRAWS, seed=seed))
            h_t_given_x = [
                float(mixture_entropy(one, sigma, draws=DRAWS, seed=seed))
                for one in same_input[network].T.split(PASSES)
            ]
            i_y = float(sp_information(states, labels, sigma, draws=DRAWS, seed=seed))
            yield _measured(network, layer, "sp", h_t - sum(h_t_given_x) / len(h_t_given_x), i_y)


def _measured(network: int, layer: int, name: str, i_x_nats: float, i_y_nats: float, part: str = WHOLE) -> Measured:
    return Measured(network, layer, name, i_x_nats * BITS_PER_NAT, i_y_nats * BITS_PER_NAT, part)


def class_distances(states: Float[Tensor, "D S"], labels: Int[Tensor, " S"]) -> tuple[float, float]:
    """How far two states of one class, and of different classes, are from each other.

    Args:
        states: Of a layer.
        labels: Class of each.

    Returns:
        Root mean squared distance within classes and between them; pairs are drawn with replacement.
    """
    members = torch.nn.functional.one_hot(labels).to(states.dtype)
    members = members[:, members.sum(0) > 0]
    sizes = members.sum(0)
    means, squares = states @ members / sizes, states.square().sum(0) @ members / sizes
    distances = (squares[:, None] + squares - 2 * means.T @ means).clamp(min=0)
    pairs = sizes[:, None] * sizes
    same = torch.eye(len(sizes), dtype=torch.bool)
    within, between = ((distances * pairs)[where].sum() / pairs[where].sum() for where in (same, ~same))
    return float(within.sqrt()), float(between.sqrt())
