"""How few bits of an image does a classifier need, and is it more robust for using no more (Alemi et al. 2017)?"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.stats import entropy
from torch import Generator, Tensor

from nmt_ib.data.images import ImageSet
from nmt_ib.deep_vib.attacks import Classifier, fgsm, l2_pgd
from nmt_ib.deep_vib.network import BottleneckClassifier, log_mean_probability, rate_nats
from nmt_ib.deep_vib.training import AfterEpoch, DeepVIBSettings, as_tensors, train
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.deep_vib import AttackCurve, DeepVIB, Evaluation
from nmt_ib.seeding import sentence_generator

SAMPLES = 12
BATCH_SIZE = 500
EPSILONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
RADII = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
PGD_IMAGES = 1000


def run_deep_vib(
    train_images: ImageSet,
    test_images: ImageSet,
    folder: Path,
    *,
    settings: DeepVIBSettings = DeepVIBSettings(),  # noqa: B008 - frozen
    after_epoch: AfterEpoch = lambda loss: None,
) -> DeepVIB:
    """Trains a bottleneck, or one of its baselines, then evaluates and attacks it.

    Args:
        train_images: The training set; there is no early stopping, the weights of the last epoch are evaluated.
        test_images: The test set.
        folder: Directory of the training run, which is resumed if it was interrupted; see `training.train`.
        settings: Settings of the network and its training.
        after_epoch: Called after each epoch with its loss.

    Returns:
        Errors, bounds and accuracy under attack.

    Raises:
        RequestError: A set is empty, or the test images have another size or more classes than the training images;
            see also `training.train`.
    """
    _check_sets(train_images, test_images)
    trained = train(train_images, folder, settings=settings, after_epoch=after_epoch)
    raw, averaged = (evaluate(net, test_images, seed=settings.seed) for net in (trained.raw, trained.averaged))
    return DeepVIB(
        settings=asdict(settings),
        train_fingerprint=train_images.fingerprint,
        test_fingerprint=test_images.fingerprint,
        samples=_num_samples(trained.averaged),
        raw=raw,
        averaged=averaged,
        attacks=attack_curves(trained.averaged, test_images, seed=settings.seed),
    )


def evaluate(network: BottleneckClassifier, images: ImageSet, *, seed: int = 0) -> Evaluation:
    r"""Error rates and both bounds, :math:`I(Z;Y) \ge H(Y) - \mathrm{CE}` and :math:`I(Z;X) \le R`.

    Args:
        network: The network.
        images: At least one image; H(Y) is the entropy of their labels.
        seed: Seed of the samples of the code.

    Returns:
        Errors and bounds.
    """
    generator = sentence_generator(seed, "evaluation")
    one_sample = all_samples = nll = rate = 0.0
    with torch.inference_mode():
        for pixels, labels in _batches(images):
            samples = network(pixels, network.noise(_num_samples(network), len(labels), generator))
            one_sample += float((samples.argmax(-1) != labels).float().mean(0).sum())
            all_samples += float((log_mean_probability(samples).argmax(-1) != labels).sum())
            nll -= float(samples.mean(0).gather(-1, labels.unsqueeze(-1)).sum())
            rate += float(rate_nats(*network.code(pixels)).sum()) if network.noisy else 0.0
    cross_entropy_bits = nll / len(images) * BITS_PER_NAT
    return Evaluation(
        error_one_sample=one_sample / len(images),
        error_all_samples=all_samples / len(images),
        cross_entropy_bits=cross_entropy_bits,
        izx_bits=rate / len(images) * BITS_PER_NAT if network.noisy else None,
        izy_bits=float(entropy(np.bincount(images.labels), base=2)) - cross_entropy_bits,
    )


def attack_curves(network: BottleneckClassifier, images: ImageSet, *, seed: int = 0) -> tuple[AttackCurve, ...]:
    """Accuracy under FGSM on all images and under L2 PGD on the first thousand, for each available gradient.

    A noisy code can mask the gradient without making the network more robust. So a noisy network is attacked twice:
    through the mean of its code, whose gradient has no noise, and through the mean probability of 12 samples, redrawn
    at each step. The lower of the two curves is the valid one.

    Args:
        network: The network; its predictions under attack use other samples than the attack.
        images: At least one image.
        seed: Seed of the samples of the code.

    Returns:
        One curve for each attack and gradient.
    """
    subset = images.first(PGD_IMAGES)
    curves = []
    for gradient in ("mean code", f"{SAMPLES} samples") if network.noisy else ("mean code",):
        samples = 0 if gradient == "mean code" else SAMPLES
        attacked = _classifier(network, samples, sentence_generator(seed, "attack"))
        changed = ((fgsm(attacked, pixels, labels, EPSILONS), pixels, labels) for pixels, labels in _batches(images))
        curves.append(_curve(network, changed, "FGSM", gradient, EPSILONS, seed))
        changed = ((_pgd_at_radii(attacked, pixels, labels), pixels, labels) for pixels, labels in _batches(subset))
        curves.append(_curve(network, changed, "L2 PGD", gradient, RADII, seed))
    return tuple(curves)


def _pgd_at_radii(
    attacked: Classifier, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"]
) -> Float[Tensor, "E B P"]:
    return torch.stack([l2_pgd(attacked, pixels, labels, radius) if radius else pixels for radius in RADII])


def _curve(
    network: BottleneckClassifier,
    changed: Iterable[tuple[Float[Tensor, "E B P"], Float[Tensor, "B P"], Int[Tensor, " B"]]],
    attack: str,
    gradient: str,
    sizes: tuple[float, ...],
    seed: int,
) -> AttackCurve:
    samples = _num_samples(network) if network.noisy else 0
    classifier = _classifier(network, samples, sentence_generator(seed, "under attack"))
    correct, unchanged, images = torch.zeros(len(sizes)), 0, 0
    for versions, pixels, labels in changed:
        with torch.no_grad():
            correct += torch.stack([(classifier(version).argmax(-1) == labels).sum() for version in versions])
        unchanged += int((versions[-1] == pixels).all(-1).sum())
        images += len(labels)
    accuracies = tuple((correct / images).tolist())
    return AttackCurve(attack, gradient, sizes, accuracies, unchanged / images, images)


def _classifier(network: BottleneckClassifier, samples: int, generator: Generator) -> Classifier:
    """Log-probabilities from the mean code (0 samples), or from samples redrawn at each call."""

    def classifier(pixels: Float[Tensor, "B P"]) -> Float[Tensor, "B K"]:
        noise = network.noise(samples, len(pixels), generator) if samples else None
        return log_mean_probability(network(pixels, noise))

    return classifier


def _check_sets(train_images: ImageSet, test_images: ImageSet) -> None:
    if not len(train_images) or not len(test_images):
        raise RequestError(f"expected training and test images, found {len(train_images)} and {len(test_images)}")
    if test_images.pixels.shape[1:] != train_images.pixels.shape[1:]:
        sizes = [" x ".join(map(str, images.pixels.shape[1:])) for images in (test_images, train_images)]
        raise RequestError(f"test images have {sizes[0]} pixels, training images {sizes[1]}: expected equal sizes")
    if test_images.labels.max() > train_images.labels.max():
        raise RequestError(
            f"test images have labels up to {test_images.labels.max()}, training images only up to "
            f"{train_images.labels.max()}"
        )


def _num_samples(network: BottleneckClassifier) -> int:
    return SAMPLES if network.noisy else 1


def _batches(images: ImageSet) -> Iterator[tuple[Float[Tensor, "B P"], Int[Tensor, " B"]]]:
    pixels, labels = as_tensors(images)
    return zip(pixels.split(BATCH_SIZE), labels.split(BATCH_SIZE), strict=True)
