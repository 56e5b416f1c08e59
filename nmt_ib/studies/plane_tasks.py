"""What small networks learn in the information plane: rules on a sphere, linear teachers, digits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.polynomial.legendre import legval
from torch import Tensor

from nmt_ib.data.images import ImageSet, read_images
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.seeding import sentence_generator

PUBLISHED_BITS = 0.999157  # H(Y) = I(X;Y) of the data that Shwartz-Ziv & Tishby published
POINTS, DEGREES, BLUR = 12, 7, 0.1
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
        """Class of each measured input, where all networks have the same."""
        return (self.targets[0] if self.measured is None else self.targets[0, self.measured]).argmax(-1)

    @property
    def h_x_bits(self) -> float | None:
        """H(X) where each measured input is as likely as the other; None where X is continuous."""
        return None if self.teacher else math.log2(len(self.labels))

    @property
    def i_xy_bits(self) -> float:
        """I(X;Y): H(Y) where Y is a function of X."""
        if self.teacher:
            signal = self.teacher.weights.square().sum(1) * self.teacher.input_variance
            return float((1 + signal / self.teacher.noise_variance).log2().mean()) / 2
        shares = self.labels.bincount().double() / len(self.labels)
        return float(torch.special.entr(shares).sum()) * BITS_PER_NAT


def sphere_rule() -> tuple[Float[np.ndarray, "N I"], Bool[np.ndarray, " N"]]:
    r"""The 4,096 patterns of 12 points on a sphere, and a rule that no rotation or reflection changes.

    Shwartz-Ziv & Tishby (2017) describe theirs as a function of the power spectrum of a pattern in spherical
    harmonics, cut at a threshold that makes both answers equally likely. Here the points are the corners of an
    icosahedron, which give 64 different spectra, as many as theirs. By the addition theorem the power of degree l is

    .. math:: p_l = \frac{2l + 1}{4\pi} \sum_{ij} x_i x_j P_l(\cos \theta_{ij})

    The function is :math:`\sum_l e^{-0.1\, l (l + 1)} p_l`, the energy of the pattern after it has spread on the
    sphere as heat does. Theirs is not published, so answers differ; H(Y) is near.

    Returns:
        Patterns of 0 and 1, and the answers, 0.9996 bits of entropy.
    """
    golden = (1 + 5**0.5) / 2
    face = np.array([[0, one, golden * other] for one in (-1, 1) for other in (-1, 1)])
    corners = np.concatenate([np.roll(face, turn, axis=1) for turn in range(3)]) / math.hypot(1, golden)
    degree = np.arange(DEGREES)
    weights = (2 * degree + 1) / (4 * math.pi) * np.exp(-BLUR * degree * (degree + 1))
    patterns = (np.arange(2**POINTS)[:, None] >> np.arange(POINTS) & 1).astype(float)
    energy = np.einsum("ni,ij,nj->n", patterns, legval(corners @ corners.T, weights), patterns).round(9)
    levels, counts = np.unique(energy, return_counts=True)
    below = counts.cumsum() / len(patterns)
    return patterns, energy > levels[np.abs(below - 0.5).argmin()]


def sphere_task(seeds: Sequence[int], train_share: float = 0.8) -> PlaneTask:
    """The rule on the sphere, each network with its own split.

    Args:
        seeds: One a network.
        train_share: Share of the patterns to learn from.

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
    task = PlaneTask(
        torch.from_numpy(patterns).float()[None], _one_hot(answers, 2)[None], order[:, :count], order[:, count:]
    )
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
