"""Trains bottlenecks of images, and the networks that they are compared with, in one loop that can be cut off."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from nmt_ib.checkpoint import Stateful, load_checkpoint, save_checkpoint
from nmt_ib.data.images import ImageSet
from nmt_ib.deep_vib.network import OBJECTIVES, ImageBottleneck, objective_nats
from nmt_ib.deep_vib.weight_average import WeightAverage
from nmt_ib.errors import RequestError
from nmt_ib.seeding import sentence_generator

CHECKPOINT, CONFIG = "checkpoint.safetensors", "config.json"
MAX_PIXEL = 255
DECAY, DECAY_EPOCHS = 0.97, 2


@dataclass(frozen=True)
class ImageTraining:
    """How a network is trained.

    Attributes:
        objective: A name of `OBJECTIVES`.
        beta: Strength of the regularizer: nats of cross-entropy that a nat of the rate, of smoothing or of confidence
            costs, both per image; with dropout the share of hidden units that are dropped.
        width: Numbers in a code.
        hidden: Units of each hidden layer.
        epochs: Passes over the images.
        batch_size: Images a step.
        learning_rate: Of Adam in the first two epochs; times .97 every two epochs.
        average_decay: Of the moving average of the weights.
        seed: Seed of the first weights, the order of images and the noise.
    """

    objective: str = "bottleneck"
    beta: float = 1e-3
    width: int = 256
    hidden: int = 1024
    epochs: int = 25  # Differs from Alemi et al. (2017), 200 epochs, for time
    batch_size: int = 100
    learning_rate: float = 1e-4
    average_decay: float = 0.999
    seed: int = 0

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise RequestError(f"unknown objective {self.objective!r}: expected one of {', '.join(OBJECTIVES)}")
        if self.beta < 0 or (self.objective == "dropout" and self.beta >= 1):
            raise RequestError(f"beta is {self.beta}: expected at least 0, and with dropout a share below 1")
        if min(self.width, self.hidden, self.epochs, self.batch_size) < 1:
            raise RequestError("width, hidden units, epochs and batch size must all be 1 or more")

    def network(self, pixels: int, classes: int) -> ImageBottleneck:
        """The network before the first step."""
        generator = sentence_generator(self.seed, "weights")
        return ImageBottleneck(
            self.width,
            noisy=self.objective == "bottleneck",
            dropout=self.beta if self.objective == "dropout" else 0.0,
            pixels=pixels,
            hidden=self.hidden,
            classes=classes,
            generator=generator,
        )


@dataclass(frozen=True)
class EpochTerms:
    """One line of the history.

    Attributes:
        epoch: From 1.
        answer_nats: Cross-entropy, mean over the images as the epoch met them.
        penalty_nats: What `objective_nats` adds, the same mean.
        seconds: How long it took.
    """

    epoch: int
    answer_nats: float
    penalty_nats: float
    seconds: float


Progress = Callable[[EpochTerms], None]


@dataclass(frozen=True)
class TrainedImages:
    """A network after its last epoch.

    Attributes:
        raw: With the weights of the last step.
        averaged: With their moving average.
        history: What each epoch showed.
    """

    raw: ImageBottleneck
    averaged: ImageBottleneck
    history: tuple[EpochTerms, ...] = field(repr=False)


def train_images(
    images: ImageSet,
    folder: Path,
    *,
    training: ImageTraining = ImageTraining(),  # noqa: B008 - frozen
    progress: Progress = lambda terms: None,
) -> TrainedImages:
    """Trains a network, or goes on with a training that was cut off, at its last whole epoch and with equal numbers.

    Args:
        images: The images, one after the other in any order.
        folder: Directory of the run: `config.json`, and `checkpoint.safetensors` with the weights, their average, the
            moments of Adam and the history.
        training: The settings.
        progress: Called after each epoch with its line of the history.

    Returns:
        The network.

    Raises:
        RequestError: There are no images, or the directory holds a training on other images or with other settings.
    """
    if not len(images):
        raise RequestError("expected at least one image to train on")
    _claim(folder, {"images": images.fingerprint, **asdict(training)})
    pixels, labels = as_tensors(images)
    run = _Run(training, folder, training.network(pixels.shape[1], int(labels.max()) + 1))
    for epoch in range(run.restore_(), training.epochs):
        terms = run.epoch_(epoch, pixels, labels)
        run.keep(terms)
        progress(terms)
    averaged = training.network(pixels.shape[1], int(labels.max()) + 1)
    averaged.load_state_dict(run.average.weights())
    return TrainedImages(run.network.eval(), averaged.eval(), tuple(run.history))


def as_tensors(images: ImageSet) -> tuple[Float[Tensor, "B P"], Int[Tensor, " B"]]:
    """Pixels in [0, 1] and labels."""
    pixels = torch.from_numpy(images.pixels.reshape(len(images), -1)).float() / MAX_PIXEL
    return pixels, torch.from_numpy(images.labels).long()


def _claim(folder: Path, config: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    about = folder / CONFIG
    if about.is_file() and json.loads(about.read_text(encoding="utf-8")) != config:
        raise RequestError(f"{folder} holds another training (see {CONFIG}): choose another directory")
    about.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


class _Run:
    """What changes from step to step, and how it is kept."""

    def __init__(self, training: ImageTraining, folder: Path, network: ImageBottleneck) -> None:
        self.training, self.folder, self.network = training, folder, network
        self.optimizer = torch.optim.Adam(network.parameters(), training.learning_rate, (0.5, 0.999), fused=True)
        self.average = WeightAverage(network, training.average_decay)
        self.kept: dict[str, Stateful] = {"network": network, "average": self.average}
        self.history: list[EpochTerms] = []

    def epoch_(self, epoch: int, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"]) -> EpochTerms:
        began = time.perf_counter()
        generator = sentence_generator(self.training.seed, f"epoch {epoch}")
        for group in self.optimizer.param_groups:
            group["lr"] = self.training.learning_rate * DECAY ** (epoch // DECAY_EPOCHS)
        sums = torch.zeros(2, dtype=torch.float64)
        for batch in torch.randperm(len(labels), generator=generator).split(self.training.batch_size):
            sums += len(batch) * self._step_(pixels[batch], labels[batch], generator)
        answer, penalty = (sums / len(labels)).tolist()
        return EpochTerms(epoch + 1, answer, penalty, seconds=round(time.perf_counter() - began, 3))

    def _step_(self, pixels: Tensor, labels: Tensor, generator: Generator) -> Float[Tensor, "2"]:
        answer, penalty = objective_nats(self.training.objective, self.network, pixels, labels, generator)
        self.optimizer.zero_grad()
        (answer + self.training.beta * penalty).backward()
        self.optimizer.step()
        self.average.update_(self.network)
        return torch.stack([answer, penalty]).detach()

    def keep(self, terms: EpochTerms) -> None:
        """Writes network, average, moments and history in one file, whole or not at all."""
        self.history.append(terms)
        history = [asdict(line) for line in self.history]
        save_checkpoint(self.folder / CHECKPOINT, self.kept, self.optimizer, history)

    def restore_(self) -> int:
        """Epochs that were done before."""
        if (self.folder / CHECKPOINT).is_file():
            history = load_checkpoint(self.folder / CHECKPOINT, self.kept, self.optimizer)
            self.history = [EpochTerms(**line) for line in history]
        return len(self.history)
