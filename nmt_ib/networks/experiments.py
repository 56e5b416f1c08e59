"""The classic experiments of the information plane, as data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from nmt_ib.errors import RequestError
from nmt_ib.info.binning import FixedWidth
from nmt_ib.networks.batched import NetworkTraining
from nmt_ib.networks.estimators import EstimatorSettings
from nmt_ib.networks.tasks import IRRELEVANT, PlaneTask, digit_task, sphere_task, teacher_task

MNIST = "mnist"
SZT = (12, 10, 7, 5, 4, 3, 2)


@dataclass(frozen=True)
class Experiment:
    """Networks, their task, and how they are measured.

    Attributes:
        training: Shape of the networks and how they are trained.
        task: Seeds -> examples.
        epochs: Of training, unless the user says otherwise.
        estimators: Names of `ESTIMATORS` that are used unless the user says otherwise.
        settings: What estimators take for granted.
        clusters: Whether to look at distances within and between classes, too.
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
    # Saxe et al. (2018): a linear network that a linear teacher tells 100 noisy answers; it learns the noise, too.
    "saxe-linear": Experiment(LINEAR, teacher_task, 2000, ("exact",), EstimatorSettings(noise_variance=1.0)),
    # Saxe et al. (2018): first weights so large that the output knows of the irrelevant inputs, and enough answers to
    # learn not to.
    "saxe-irrelevant": Experiment(
        replace(LINEAR, gain=3.0), partial(teacher_task, examples=1000, signal=5.0, irrelevant=IRRELEVANT),
        500, ("exact",), EstimatorSettings(noise_variance=1.0),
    ),
    # Goldfeld et al. (2019): noise in the network, so that its information is finite and can change.
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
    """An experiment with some things changed.

    Args:
        name: A name of `EXPERIMENTS`.
        activation: Of the hidden layers. Bins from -1 to 1 suit tanh alone: others get bins of width .07 without end.
        train_share: Share of the patterns of the sphere to learn from.
        images: Directory of idx files, for "mnist".
        full_batch: Whether each step takes all examples.
        noise: Deviation of the noise inside the network.
        orthonormality: See `NetworkTraining`.

    Returns:
        The experiment.

    Raises:
        RequestError: There is no such experiment, or a change does not go with it.
    """
    if name not in EXPERIMENTS:
        raise RequestError(f"unknown experiment {name!r}: expected one of {', '.join(EXPERIMENTS)}")
    found = EXPERIMENTS[name]
    if (name == MNIST) != (images is not None):
        raise RequestError("mnist needs --images, a directory of idx files, and no other experiment does")
    if train_share is not None and found.task is not sphere_task:
        raise RequestError(f"{name} has its own split: a training share goes with szt and goldfeld-noisy")
    changes: dict[str, Any] = {"activation": activation, "noise": noise, "orthonormality": orthonormality}
    training = replace(found.training, **{field: value for field, value in changes.items() if value is not None})
    training = replace(training, batch_size=None) if full_batch else training
    task = found.task
    if images is not None:
        task = partial(digit_task, directory=images)
        first = task([0])
        pixels, classes = first.inputs.shape[-1], first.targets.shape[-1]
        training = replace(training, widths=(pixels, *training.widths[1:-1], classes))
    elif train_share is not None:
        task = partial(sphere_task, train_share=train_share)
    unbounded = found.settings.bins == EstimatorSettings().bins and (training.activation != "tanh" or training.noise)
    settings = replace(found.settings, bins=FixedWidth(0.07)) if unbounded else found.settings
    return replace(found, training=training, task=task, settings=settings)
