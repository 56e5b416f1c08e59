"""Tasks of small networks in the information plane: patterns on a sphere, linear teachers, digits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.data.images import ImageSet, read_images
from nmt_ib.errors import RequestError
from nmt_ib.info.joint_table import channel_nats
from nmt_ib.networks.sphere_rule import soft_sphere_rule, sphere_rule
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.seeding import sentence_generator

PUBLISHED_BITS = 0.999157  # H(Y) = I(X;Y) of the data that Shwartz-Ziv & Tishby published
RELEVANT, IRRELEVANT = 30, 70
TEST_EXAMPLES = 1000
TRAIN_IMAGES, TEST_IMAGES = 10_000, 2_000  # Differs from Saxe et al. (2018), 60,000 and 10,000, for time


@dataclass(frozen=True)
class LinearTeacher:
    """A linear teacher: y = w x + noise, with independent Gaussian inputs x.

    Attributes:
        weights: Weights w, one row for each network.
        input_variance: Variance of each input.
        noise_variance: Variance of the noise.
        relevant: Number of relevant inputs, which come first; the others have weight 0.
    """

    weights: Float[Tensor, "R I"]
    input_variance: float
    noise_variance: float
    relevant: int


@dataclass(frozen=True)
class PlaneTask:
    """Examples for R networks.

    Attributes:
        inputs: Inputs of each network, or of all.
        targets: Class probabilities, or regression targets.
        train: Indices of each network's training examples.
        test: Indices of each network's test examples.
        measured: Indices of the examples whose states are measured; None: all.
        teacher: The linear teacher of a regression task; None: classification.
        notes: Remarks for readers of the results.
    """

    inputs: Float[Tensor, "#R N I"]
    targets: Float[Tensor, "#R N K"]
    train: Int[Tensor, "R M"]
    test: Int[Tensor, "R E"]
    measured: Int[Tensor, " S"] | None = None
    teacher: LinearTeacher | None = None
    notes: tuple[str, ...] = ()

    @property
    def measured_inputs(self) -> Float[Tensor, "#R S I"]:
        """Inputs of the measured examples."""
        return self.inputs if self.measured is None else self.inputs[:, self.measured]

    @property
    def labels(self) -> Int[Tensor, " S"]:
        """Class of each measured input, if all networks share the examples.

        Raises:
            RequestError: Y is not a function of X.
        """
        if not self.teacher and (self.probabilities.amax(-1) < 1).any():
            raise RequestError("Y is not a function of X here, so inputs have no labels; use layers_at_limit")
        return self.probabilities.argmax(-1)

    @property
    def probabilities(self) -> Float[Tensor, "S K"]:
        """p(y|x) of each measured input, if all networks share the examples."""
        return self.targets[0] if self.measured is None else self.targets[0, self.measured]

    @property
    def h_x_bits(self) -> float | None:
        """H(X) for a uniform distribution over the measured inputs; None if X is continuous."""
        return None if self.teacher else math.log2(len(self.probabilities))

    @property
    def i_xy_bits(self) -> float:
        """I(X;Y) = H(Y) - H(Y|X); for a linear teacher that of the Gaussian channel, mean over networks."""
        if self.teacher:
            signal = self.teacher.weights.square().sum(1) * self.teacher.input_variance
            return float((1 + signal / self.teacher.noise_variance).log2().mean()) / 2
        return channel_nats(self.probabilities.double().numpy()) * BITS_PER_NAT


def sphere_task(seeds: Sequence[int], train_share: float = 0.8, i_xy_bits: float | None = None) -> PlaneTask:
    """Classification of the patterns on a sphere, each network with its own split.

    Args:
        seeds: Seed of each network.
        train_share: Share of the patterns to train on.
        i_xy_bits: I(X;Y), see `soft_sphere_rule`; None: Y is a function of X.

    Returns:
        The task.

    Raises:
        RequestError: The share leaves no pattern for training, or none for testing.
    """
    patterns, labels = sphere_rule()
    count = round(train_share * len(patterns))
    if not 0 < count < len(patterns):
        raise RequestError(f"training share {train_share:g}: expected more than 0 and less than 1")
    order = torch.stack([torch.randperm(len(patterns), generator=sentence_generator(seed, "split")) for seed in seeds])
    # Differs from Shwartz-Ziv & Tishby (2017), who draw one label for each pattern: the targets are probabilities.
    targets = _one_hot(labels, 2) if i_xy_bits is None else torch.from_numpy(soft_sphere_rule(i_xy_bits)).float()
    task = PlaneTask(torch.from_numpy(patterns).float()[None], targets[None], order[:, :count], order[:, count:])
    if i_xy_bits is not None:
        return task
    notes = (
        f"H(Y) = I(X;Y) = {task.i_xy_bits:.6f} bits; {PUBLISHED_BITS} bits for the published data.",
        "Y is a function of X: the optimal curve is I(T;Y) = I(X;T) up to H(Y), with one optimum for all beta > 1.",
    )
    return replace(task, notes=notes)


def teacher_task(seeds: Sequence[int], *, examples: int = 100, signal: float = 1.0, irrelevant: int = 0) -> PlaneTask:
    """Regression on a linear teacher of 100 inputs with output noise of variance 1 (Saxe et al. 2018).

    Args:
        seeds: Seed of each network; each has its own teacher and examples.
        examples: Number of training examples; 1,000 more are for testing.
        signal: Variance of the targets without noise, which is the signal-to-noise ratio.
        irrelevant: Number of irrelevant inputs, which come last.

    Returns:
        The task, in double precision.
    """
    width = RELEVANT + IRRELEVANT
    relevant = width - irrelevant
    weights, inputs, targets = [], [], []
    for seed in seeds:
        generator = sentence_generator(seed, "teacher")
        weight = torch.randn(width, generator=generator, dtype=torch.float64)
        weight[relevant:] = 0
        weight *= (signal * width / weight.square().sum()) ** 0.5
        x = torch.randn(examples + TEST_EXAMPLES, width, generator=generator, dtype=torch.float64) / width**0.5
        noise = torch.randn(len(x), generator=generator, dtype=torch.float64)
        weights.append(weight)
        inputs.append(x)
        targets.append((x @ weight + noise)[:, None])
    rows = torch.arange(examples + TEST_EXAMPLES).expand(len(seeds), -1)
    return PlaneTask(
        torch.stack(inputs), torch.stack(targets), rows[:, :examples], rows[:, examples:],
        teacher=LinearTeacher(torch.stack(weights), 1 / width, 1.0, relevant),
    )  # fmt: skip


def digit_task(seeds: Sequence[int], directory: str | Path) -> PlaneTask:
    """MNIST or a data set in its format: the first 10,000 images for training, 2,000 for testing and measuring.

    Args:
        seeds: Seed of each network; all have the same images.
        directory: See `read_images`.

    Returns:
        The task.
    """
    train = read_images(directory, "train").first(TRAIN_IMAGES)
    test = read_images(directory, "test").first(TEST_IMAGES)
    classes = int(max(train.labels.max(), test.labels.max())) + 1
    targets = torch.cat([_one_hot(images.labels, classes) for images in (train, test)])
    rows = torch.arange(len(targets)).expand(len(seeds), -1)
    return PlaneTask(
        torch.cat([_flat(train), _flat(test)])[None], targets[None], rows[:, : len(train)], rows[:, len(train) :],
        measured=rows[0, len(train) :],
    )  # fmt: skip


def _flat(images: ImageSet) -> Float[Tensor, "N I"]:
    return torch.from_numpy(images.pixels.reshape(len(images), -1)).float() / 255


def _one_hot(labels: np.ndarray, classes: int) -> Float[Tensor, "N K"]:
    return torch.nn.functional.one_hot(torch.from_numpy(labels.astype(np.int64)), classes).float()
