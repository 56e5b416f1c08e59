"""Results of experiments with a deep variational information bottleneck."""

from dataclasses import dataclass
from typing import Any

from nmt_ib.results.result import Document


@dataclass(frozen=True)
class Evaluation:
    """Errors and bounds of a network on test images.

    Attributes:
        error_one_sample: Error rate with one sample of the code, 0 to 1; mean over the samples.
        error_all_samples: Error rate with the mean of the probabilities of all samples, 0 to 1.
        cross_entropy_bits: Cross-entropy of the correct class with one sample; mean over images and samples.
        izx_bits: Upper bound of I(Z;X), the mean rate; None where the code has no noise and there is no bound.
        izy_bits: Lower bound of I(Z;Y), H(Y) - cross-entropy; at most log2 of the number of classes, and below 0 where
            the predictions are worse than the class frequencies.
    """

    error_one_sample: float
    error_all_samples: float
    cross_entropy_bits: float
    izx_bits: float | None
    izy_bits: float


@dataclass(frozen=True)
class AttackCurve:
    """Accuracy under an attack as a function of its size.

    Attributes:
        attack: "FGSM" (size: maximum change of a pixel) or "L2 PGD" (size: Euclidean norm of the change), pixels in
            [0, 1].
        gradient: What the attack differentiates: "mean code" or "12 samples", the mean of their probabilities.
        sizes: Sizes of the attack.
        accuracies: Accuracy at each size, 0 to 1; predictions as for `Evaluation.error_all_samples`.
        unchanged: Share of images that the attack does not change at its largest size, because their gradient is 0;
            unless it is small, the curve overestimates the robustness of the network.
        images: Number of images.
    """

    attack: str
    gradient: str
    sizes: tuple[float, ...]
    accuracies: tuple[float, ...]
    unchanged: float
    images: int


@dataclass(frozen=True)
class DeepVIB(Document):
    """One trained network.

    Attributes:
        settings: Settings of the network and its training; see `DeepVIBSettings`.
        train_fingerprint: Fingerprint of the training images.
        test_fingerprint: Fingerprint of the test images.
        samples: Number of samples of the code for `error_all_samples`; 1 where it has no noise.
        raw: Evaluation of the weights of the last step.
        averaged: Evaluation of the moving average of the weights.
        attacks: Accuracy of the averaged weights under attack.
    """

    settings: dict[str, Any]
    train_fingerprint: str
    test_fingerprint: str
    samples: int
    raw: Evaluation
    averaged: Evaluation
    attacks: tuple[AttackCurve, ...]
