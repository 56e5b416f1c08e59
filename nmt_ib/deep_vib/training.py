"""Training of deep variational information bottlenecks and their baselines: seeded and resumable."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from nmt_ib.checkpoint import Stateful, load_checkpoint, save_checkpoint
from nmt_ib.data.images import ImageSet
from nmt_ib.deep_vib.network import OBJECTIVES, BottleneckClassifier, objective_nats
from nmt_ib.deep_vib.weight_average import WeightAverage
from nmt_ib.errors import RequestError
from nmt_ib.files import read_json, write_json
from nmt_ib.seeding import sentence_generator

CHECKPOINT, CONFIG = "checkpoint.safetensors", "config.json"
MAX_PIXEL = 255
DECAY, DECAY_EPOCHS = 0.97, 2


@dataclass(frozen=True)
class DeepVIBSettings:
    """Settings of a network and its training.

    Attributes:
        objective: One of `OBJECTIVES`.
        beta: Weight of the penalty: the rate, label smoothing or confidence penalty, in nats per image; with dropout
            the dropout rate of the hidden units.
        width: Dimensions of the code.
        hidden: Units of each hidden layer.
        epochs: Number of epochs.
        batch_size: Images per training step.
        learning_rate: Initial Adam learning rate, multiplied by 0.97 every two epochs.
        average_decay: Decay rate of the moving average of the weights.
        seed: Seed of initial weights, order of images and noise.
    """

    objective: str = "bottleneck"
    beta: float = 1e-3
    width: int = 256
    hidden: int = 1024
    epochs: int = 25  # Differs from Alemi et al. (2017), 200 epochs, to save time
    batch_size: int = 100
    learning_rate: float = 1e-4
    average_decay: float = 0.999
    seed: int = 0

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise RequestError(f"unknown objective {self.objective!r}: expected one of {', '.join(OBJECTIVES)}")
        if self.beta < 0 or (self.objective == "dropout" and self.beta >= 1):
            raise RequestError(f"beta is {self.beta}: expected at least 0, and with dropout below 1")
        if min(self.width, self.hidden, self.epochs, self.batch_size) < 1:
            raise RequestError("width, hidden units, epochs and batch size must be at least 1")

    def network(self, pixels: int, classes: int) -> BottleneckClassifier:
        """The untrained network."""
        generator = sentence_generator(self.seed, "weights")
        return BottleneckClassifier(
            self.width,
            noisy=self.objective == "bottleneck",
            dropout=self.beta if self.objective == "dropout" else 0.0,
            pixels=pixels,
            hidden=self.hidden,
            classes=classes,
            generator=generator,
        )


@dataclass(frozen=True)
class EpochLoss:
    """The loss of one epoch.

    Attributes:
        epoch: Number of the epoch, from 1.
        cross_entropy_nats: Mean cross-entropy over the images, each before its training step.
        penalty_nats: Mean penalty, see `objective_nats`.
    """

    epoch: int
    cross_entropy_nats: float
    penalty_nats: float


AfterEpoch = Callable[[EpochLoss], object]


@dataclass(frozen=True)
class TrainedNetwork:
    """A network after its last epoch.

    Attributes:
        raw: The network with the weights of the last step.
        averaged: The network with the moving average of the weights.
        history: The loss of each epoch.
    """

    raw: BottleneckClassifier
    averaged: BottleneckClassifier
    history: tuple[EpochLoss, ...] = field(repr=False)


def train(
    images: ImageSet,
    folder: Path,
    *,
    settings: DeepVIBSettings = DeepVIBSettings(),  # noqa: B008 - frozen
    after_epoch: AfterEpoch = lambda loss: None,
) -> TrainedNetwork:
    """Trains a network, or resumes its training after the last complete epoch, with equal results.

    Args:
        images: The training set.
        folder: Directory of the run: `config.json`, and `checkpoint.safetensors` with the weights, their average, the
            state of Adam and the history.
        settings: Settings of the network and its training.
        after_epoch: Called after each epoch with its loss.

    Returns:
        The network.

    Raises:
        RequestError: There are no images, or the directory holds a training run on other images or with other settings.
    """
    if not len(images):
        raise RequestError("expected at least one training image")
    _check_config(folder, {"images": images.fingerprint, **asdict(settings)})
    pixels, labels = as_tensors(images)
    run = _TrainingRun(settings, folder, settings.network(pixels.shape[1], int(labels.max()) + 1))
    for epoch in range(run.restore_(), settings.epochs):
        loss = run.epoch_(epoch, pixels, labels)
        run.save(loss)
        after_epoch(loss)
    averaged = settings.network(pixels.shape[1], int(labels.max()) + 1)
    averaged.load_state_dict(run.average.weights())
    return TrainedNetwork(run.network.eval(), averaged.eval(), tuple(run.history))


def as_tensors(images: ImageSet) -> tuple[Float[Tensor, "B P"], Int[Tensor, " B"]]:
    """Pixels in [0, 1] and labels."""
    pixels = torch.from_numpy(images.pixels.reshape(len(images), -1)).float() / MAX_PIXEL
    return pixels, torch.from_numpy(images.labels).long()


def _check_config(folder: Path, config: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG
    if path.is_file() and read_json(path) != config:
        raise RequestError(f"{folder} holds another training run (see {CONFIG}): use another directory")
    write_json(path, config)


class _TrainingRun:
    """Everything that changes from step to step, and its checkpoint."""

    def __init__(self, settings: DeepVIBSettings, folder: Path, network: BottleneckClassifier) -> None:
        self.settings, self.folder, self.network = settings, folder, network
        self.optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, (0.5, 0.999), fused=True)
        self.average = WeightAverage(network, settings.average_decay)
        self.modules: dict[str, Stateful] = {"network": network, "average": self.average}
        self.history: list[EpochLoss] = []

    def epoch_(self, epoch: int, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"]) -> EpochLoss:
        generator = sentence_generator(self.settings.seed, f"epoch {epoch}")
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * DECAY ** (epoch // DECAY_EPOCHS)
        sums = torch.zeros(2, dtype=torch.float64)
        for batch in torch.randperm(len(labels), generator=generator).split(self.settings.batch_size):
            sums += len(batch) * self._step_(pixels[batch], labels[batch], generator)
        cross_entropy, penalty = (sums / len(labels)).tolist()
        return EpochLoss(epoch + 1, cross_entropy, penalty)

    def _step_(self, pixels: Tensor, labels: Tensor, generator: Generator) -> Float[Tensor, "2"]:
        cross_entropy, penalty = objective_nats(self.settings.objective, self.network, pixels, labels, generator)
        self.optimizer.zero_grad()
        (cross_entropy + self.settings.beta * penalty).backward()
        self.optimizer.step()
        self.average.update_(self.network)
        return torch.stack([cross_entropy, penalty]).detach()

    def save(self, loss: EpochLoss) -> None:
        """Adds a line to the history and writes the checkpoint."""
        self.history.append(loss)
        history = [asdict(line) for line in self.history]
        save_checkpoint(self.folder / CHECKPOINT, self.modules, self.optimizer, history)

    def restore_(self) -> int:
        """Restores the checkpoint, if there is one; returns the number of completed epochs."""
        if (self.folder / CHECKPOINT).is_file():
            history = load_checkpoint(self.folder / CHECKPOINT, self.modules, self.optimizer)
            self.history = [EpochLoss(**line) for line in history]
        return len(self.history)
