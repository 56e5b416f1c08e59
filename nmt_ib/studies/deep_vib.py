"""How few bits of an image does its class need, and does it help to keep no more? Deep VIB (Alemi et al. 2017)."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from nmt_ib.data.images import ImageSet
from nmt_ib.deep_vib.attacks import Answer, fgsm, l2_pgd
from nmt_ib.deep_vib.network import ImageBottleneck, mixture, rate_nats
from nmt_ib.deep_vib.training import ImageTraining, Progress, as_tensors, train_images
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.deep_vib import AttackCurve, DeepVIB, ImageEvaluation
from nmt_ib.seeding import sentence_generator

SAMPLES = 12
BATCH = 500
EPSILONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
RADII = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
PGD_IMAGES = 1000


def deep_vib(
    train: ImageSet,
    test: ImageSet,
    folder: Path,
    *,
    training: ImageTraining = ImageTraining(),  # noqa: B008 - frozen
    progress: Progress = lambda terms: None,
) -> DeepVIB:
    """Trains a network, or one that it is to be compared with, then evaluates and attacks it.

    Args:
        train: Images to learn from; the last epoch counts, and no epoch is picked.
        test: Images for the figures.
        folder: Directory of the training, which goes on where it was cut off; see `train_images`.
        training: The settings.
        progress: See `train_images`.

    Returns:
        The figures.

    Raises:
        RequestError: A set is empty, or the test images have another size or more classes than those of `train`; see
            also `train_images`.
    """
    _check_test(train, test)
    trained = train_images(train, folder, training=training, progress=progress)
    raw, averaged = (evaluate(network, test, seed=training.seed) for network in (trained.raw, trained.averaged))
    return DeepVIB(
        settings=asdict(training),
        train_images=train.fingerprint,
        test_images=test.fingerprint,
        samples=_samples(trained.averaged),
        raw=raw,
        averaged=averaged,
        attacks=attack_curves(trained.averaged, test, seed=training.seed),
        seconds=round(sum(epoch.seconds for epoch in trained.history), 1),
    )


def evaluate(network: ImageBottleneck, images: ImageSet, *, seed: int = 0) -> ImageEvaluation:
    r"""Error and both bounds, :math:`I(Z;Y) \ge H(Y) - \mathrm{CE}` and :math:`I(Z;X) \le R`.

    Args:
        network: The network.
        images: At least one; H(Y) is the entropy of their labels.
        seed: Of the samples.

    Returns:
        The figures.
    """
    generator = sentence_generator(seed, "evaluation")
    one = together = answer_nats = rate = 0.0
    with torch.inference_mode():
        for pixels, labels in _batches(images):
            samples = network(pixels, network.noise(_samples(network), len(labels), generator))
            one += float((samples.argmax(-1) != labels).float().mean(0).sum())
            together += float((mixture(samples).argmax(-1) != labels).sum())
            answer_nats -= float(samples.mean(0).gather(-1, labels.unsqueeze(-1)).sum())
            rate += float(rate_nats(*network.code(pixels)).sum()) if network.noisy else 0.0
    cross_entropy_bits = answer_nats / len(images) * BITS_PER_NAT
    return ImageEvaluation(
        error_one_sample=one / len(images),
        error_all_samples=together / len(images),
        cross_entropy_bits=cross_entropy_bits,
        izx_bits=rate / len(images) * BITS_PER_NAT if network.noisy else None,
        izy_bits=_entropy_bits(images) - cross_entropy_bits,
    )


def attack_curves(network: ImageBottleneck, images: ImageSet, *, seed: int = 0) -> tuple[AttackCurve, ...]:
    """FGSM on all images and L2 PGD on the first thousand, each along every gradient that the network has.

    A noisy code can hide the gradient without being any safer. So a noisy network is attacked twice: through the mean
    of its code, whose gradient has no noise, and through the mean probability of 12 samples, which are drawn anew at
    each step. The lower of the two curves is the one to believe.

    Args:
        network: The network; its answers under attack are drawn apart from the samples that the attack saw.
        images: At least one.
        seed: Of the samples.

    Returns:
        One curve for each attack and gradient.
    """
    few = images.first(PGD_IMAGES)
    curves = []
    for gradient in ("mean code", f"{SAMPLES} samples") if network.noisy else ("mean code",):
        followed = _answer(network, 0 if gradient == "mean code" else SAMPLES, sentence_generator(seed, "attack"))
        changed = ((fgsm(followed, pixels, labels, EPSILONS), pixels, labels) for pixels, labels in _batches(images))
        curves.append(_curve(network, changed, "FGSM", gradient, EPSILONS, seed))
        changed = ((_pgd_curve(followed, pixels, labels), pixels, labels) for pixels, labels in _batches(few))
        curves.append(_curve(network, changed, "L2 PGD", gradient, RADII, seed))
    return tuple(curves)


def _pgd_curve(followed: Answer, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"]) -> Float[Tensor, "E B P"]:
    return torch.stack([l2_pgd(followed, pixels, labels, radius) if radius else pixels for radius in RADII])


def _curve(
    network: ImageBottleneck,
    changed: Iterable[tuple[Float[Tensor, "E B P"], Float[Tensor, "B P"], Int[Tensor, " B"]]],
    attack: str,
    gradient: str,
    sizes: tuple[float, ...],
    seed: int,
) -> AttackCurve:
    answer = _answer(network, _samples(network) if network.noisy else 0, sentence_generator(seed, "under attack"))
    right, unmoved, images = torch.zeros(len(sizes)), 0, 0
    for versions, pixels, labels in changed:
        with torch.no_grad():
            right += torch.stack([(answer(version).argmax(-1) == labels).sum() for version in versions])
        unmoved += int((versions[-1] == pixels).all(-1).sum())
        images += len(labels)
    accuracies = tuple((right / images).tolist())
    return AttackCurve(attack, gradient, sizes, accuracies, unmoved / images, images)


def _answer(network: ImageBottleneck, samples: int, generator: Generator) -> Answer:
    """Log-probabilities from the mean code (no samples) or from samples that are drawn anew each time."""

    def answer(pixels: Float[Tensor, "B P"]) -> Float[Tensor, "B K"]:
        return mixture(network(pixels, network.noise(samples, len(pixels), generator) if samples else None))

    return answer


def _check_test(train: ImageSet, test: ImageSet) -> None:
    if not len(train) or not len(test):
        raise RequestError(f"expected images to train on and to test on, found {len(train)} and {len(test)}")
    if test.pixels.shape[1:] != train.pixels.shape[1:]:
        sizes = [" x ".join(map(str, images.pixels.shape[1:])) for images in (test, train)]
        raise RequestError(f"test images have {sizes[0]} pixels and training images {sizes[1]}: expected equal sizes")
    if test.labels.max() > train.labels.max():
        raise RequestError(
            f"test images have the label {test.labels.max()}, training images none above {train.labels.max()}"
        )


def _samples(network: ImageBottleneck) -> int:
    return SAMPLES if network.noisy else 1


def _batches(images: ImageSet) -> Iterator[tuple[Float[Tensor, "B P"], Int[Tensor, " B"]]]:
    pixels, labels = as_tensors(images)
    return zip(pixels.split(BATCH), labels.split(BATCH), strict=True)


def _entropy_bits(images: ImageSet) -> float:
    shares = torch.from_numpy(images.labels).long().bincount().double() / len(images)
    return float(torch.special.entr(shares).sum()) * BITS_PER_NAT
