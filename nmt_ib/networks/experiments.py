"""The classic experiments of the information plane, as data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import FixedWidth
from nmt_ib.networks.batched import NetworkTraining
from nmt_ib.networks.snapshots import EstimatorSettings
from nmt_ib.networks.tasks import IRRELEVANT, PlaneTask, digit_task, sphere_task, teacher_task

MNIST = "mnist"
SZT = (12, 10, 7, 5, 4, 3, 2)


@dataclass(frozen=True)
class Experiment:
    """Networks, their task, and how they are measured.

    Attributes:
        training: Shape of the networks and how they are trained.
        task: Maps seeds of networks to their examples.
        epochs: Default number of training epochs.
        estimators: Default estimators, names of `nmt_ib.networks.estimators.ESTIMATORS`.
        settings: Settings of the estimators.
        clusters: Whether to measure distances within and between classes, too.
    """

    training: NetworkTraining
    task: Callable[[Sequence[int]], PlaneTask]
    epochs: int
    estimators: tuple[str, ...] = ("binning", "kde")
    settings: EstimatorSettings = field(default_factory=EstimatorSettings)
    clusters: bool = False


LINEAR = NetworkTraining(
    (100, 100, 1), activation="linear", output="linear", optimizer="sgd", learning_rate=0.1, batch_size=None
)
EXPERIMENTS = {
    # Shwartz-Ziv & Tishby (2017); their code trains with Adam.
    "szt": Experiment(NetworkTraining(SZT), sphere_task, 8000),
    # Saxe et al. (2018): a linear network and 100 noisy targets of a linear teacher; it overfits the noise.
    "saxe-linear": Experiment(LINEAR, teacher_task, 2000, ("exact",), EstimatorSettings(noise_variance=1.0)),
    # Saxe et al. (2018): initial weights so large that the output depends on the irrelevant inputs, and enough examples
    # to learn not to.
    "saxe-irrelevant": Experiment(
        replace(LINEAR, gain=3.0), partial(teacher_task, examples=1000, signal=5.0, irrelevant=IRRELEVANT),
        500, ("exact",), EstimatorSettings(noise_variance=1.0),
    ),
    # Goldfeld et al. (2019): noise inside the network, so that I(X;T) is finite and can change.
    "goldfeld-noisy": Experiment(
        NetworkTraining(SZT, noise=0.05), sphere_task, 2000, ("sp", "binning"), EstimatorSettings(FixedWidth(0.07)),
        clusters=True,
    ),
    # Saxe et al. (2018) on MNIST.
    MNIST: Experiment(
        NetworkTraining((784, 1024, 20, 20, 20, 10), optimizer="sgd", learning_rate=0.05, batch_size=128),
        partial(digit_task, directory="mnist"), 20, settings=EstimatorSettings(FixedWidth(0.5), noise_variance=0.1),
    ),
}  # fmt: skip


def experiment_of(
    name: str,
    *,
    activation: str | None = None,
    train_share: float | None = None,
    images: str | Path | None = None,
    full_batch: bool = False,
    noise: float | None = None,
    orthonormality: float | None = None,
) -> Experiment:
    """An experiment with some settings changed.

    Args:
        name: A name of `EXPERIMENTS`.
        activation: Activation of the hidden layers. Bins from -1 to 1 suit only tanh; others get unbounded bins of
            width 0.07.
        train_share: Share of the patterns on the sphere to train on.
        images: Directory of idx files, for "mnist".
        full_batch: Whether each step uses all training examples.
        noise: Standard deviation of the noise inside the network.
        orthonormality: See `NetworkTraining`.

    Returns:
        The experiment.

    Raises:
        RequestError: There is no such experiment, or a setting does not apply to it.
    """
    if name not in EXPERIMENTS:
        raise RequestError(f"unknown experiment {name!r}: expected one of {', '.join(EXPERIMENTS)}")
    chosen = EXPERIMENTS[name]
    if (name == MNIST) != (images is not None):
        raise RequestError("mnist needs images, a directory of idx files; no other experiment takes images")
    if train_share is not None and chosen.task is not sphere_task:
        raise RequestError(f"{name} has a fixed split: train_share applies to szt and goldfeld-noisy only")
    changes: dict[str, Any] = {"activation": activation, "noise": noise, "orthonormality": orthonormality}
    training = replace(chosen.training, **{name: value for name, value in changes.items() if value is not None})
    training = replace(training, batch_size=None) if full_batch else training
    task = chosen.task
    if images is not None:
        task = partial(digit_task, directory=images)
        first = task([0])
        pixels, classes = first.inputs.shape[-1], first.targets.shape[-1]
        training = replace(training, widths=(pixels, *training.widths[1:-1], classes))
    elif train_share is not None:
        task = partial(sphere_task, train_share=train_share)
    unbounded = chosen.settings.bins == EstimatorSettings().bins and (training.activation != "tanh" or training.noise)
    settings = replace(chosen.settings, bins=FixedWidth(0.07)) if unbounded else chosen.settings
    return replace(chosen, training=training, task=task, settings=settings)
