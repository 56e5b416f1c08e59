"""What small networks learn in the information plane: rules on a sphere, linear teachers, digits."""

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
from nmt_ib.networks.sphere_rule import soft_sphere_rule, sphere_rule
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.seeding import sentence_generator

PUBLISHED_BITS = 0.999157  # H(Y) = I(X;Y) of the data that Shwartz-Ziv & Tishby published
RELEVANT, IRRELEVANT = 30, 70
TEST_EXAMPLES = 1000
TRAIN_IMAGES, TEST_IMAGES = 10_000, 2_000  # Differs from Saxe et al. (2018), 60,000 and 10,000, for time


@dataclass(frozen=True)
class LinearTeacher:
    """Who made the answers: y = w x + noise, with Gaussian x of independent inputs.

    Attributes:
        weights: One row a network.
        input_variance: Of each input.
        noise_variance: Of the answer.
        relevant: Number of inputs, from the first, that the answers depend on; the rest has weight 0.
    """

    weights: Float[Tensor, "R I"]
    input_variance: float
    noise_variance: float
    relevant: int


@dataclass(frozen=True)
class PlaneTask:
    """Examples of R networks, and what is known of them.

    Attributes:
        inputs: Of each network or of all.
        targets: Probability of each class, or numbers.
        train: Rows of the examples that each network learns from.
        test: Rows of those that it does not.
        measured: Rows whose states go into the estimates; None: all.
        teacher: Where the answers come from a linear teacher.
        notes: What a reader has to know, in words.
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
        """Inputs whose states are measured."""
        return self.inputs if self.measured is None else self.inputs[:, self.measured]

    @property
    def labels(self) -> Int[Tensor, " S"]:
        """Class of each measured input, where all networks have the same; RequestError where x leaves it open."""
        if not self.teacher and (self.probabilities.amax(-1) < 1).any():
            raise RequestError("Y is not a function of X here: no label stands for it, see layers_at_limit")
        return self.probabilities.argmax(-1)

    @property
    def probabilities(self) -> Float[Tensor, "S K"]:
        """p(y|x) of each measured input, where all networks have the same."""
        return self.targets[0] if self.measured is None else self.targets[0, self.measured]

    @property
    def h_x_bits(self) -> float | None:
        """H(X) where each measured input is as likely as the other; None where X is continuous."""
        return None if self.teacher else math.log2(len(self.probabilities))

    @property
    def i_xy_bits(self) -> float:
        """I(X;Y) = H(Y) - H(Y|X), whose second is 0 where Y is a function of X."""
        if self.teacher:
            signal = self.teacher.weights.square().sum(1) * self.teacher.input_variance
            return float((1 + signal / self.teacher.noise_variance).log2().mean()) / 2
        p = self.probabilities.double()
        return float(torch.special.entr(p.mean(0)).sum() - torch.special.entr(p).sum(1).mean()) * BITS_PER_NAT


def sphere_task(seeds: Sequence[int], train_share: float = 0.8, i_xy_bits: float | None = None) -> PlaneTask:
    """The rule on the sphere, each network with its own split.

    Args:
        seeds: One a network.
        train_share: Share of the patterns to learn from.
        i_xy_bits: What patterns tell of answers, see `soft_sphere_rule`; None: all, answers are sure.

    Returns:
        The task.

    Raises:
        RequestError: The share leaves no pattern to learn from, or none to test on.
    """
    patterns, answers = sphere_rule()
    count = round(train_share * len(patterns))
    if not 0 < count < len(patterns):
        raise RequestError(f"training share {train_share:g}: expected more than 0 and less than 1")
    order = torch.stack([torch.randperm(len(patterns), generator=sentence_generator(seed, "split")) for seed in seeds])
    # Differs from Shwartz-Ziv & Tishby (2017), who draw one answer a pattern: networks learn from its probabilities.
    targets = _one_hot(answers, 2) if i_xy_bits is None else torch.from_numpy(soft_sphere_rule(i_xy_bits)).float()
    task = PlaneTask(torch.from_numpy(patterns).float()[None], targets[None], order[:, :count], order[:, count:])
    if i_xy_bits is not None:
        return task
    notes = (
        f"H(Y) = I(X;Y) = {task.i_xy_bits:.6f} bits; of the published data {PUBLISHED_BITS} bits.",
        "Y is a function of X: the optimal curve is I(T;Y) = I(X;T) up to H(Y), one optimum for every beta above 1.",
    )
    return replace(task, notes=notes)


def teacher_task(seeds: Sequence[int], *, examples: int = 100, signal: float = 1.0, irrelevant: int = 0) -> PlaneTask:
    """A linear teacher of 100 inputs, whose answers have noise of variance 1 (Saxe et al. 2018).

    Args:
        seeds: One a network; each has its own teacher and examples.
        examples: To learn from; 1,000 more are for the test.
        signal: Variance of the answers without noise: the signal-to-noise ratio.
        irrelevant: Number of inputs, the last, that the answers do not depend on.

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
    """MNIST, or a set that is laid out like it: the first 10,000 images to learn from, 2,000 to test and to measure.

    Args:
        seeds: One a network; all have the same images.
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
