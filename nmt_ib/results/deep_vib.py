"""What an experiment with a deep variational information bottleneck returns."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ImageEvaluation:
    """A network on images that it has not seen.

    Attributes:
        error_one_sample: Share of images that are answered wrongly from one sample of the code; mean over the samples.
        error_all_samples: The same from the mean of the probabilities of all samples.
        cross_entropy_bits: Of the right class from one sample; mean over images and samples.
        izx_bits: Upper bound of I(Z;X), the mean rate; None where the code has no noise: there is no bound.
        izy_bits: Lower bound of I(Z;Y), H(Y) - cross-entropy; at most log2 of the number of classes, and below 0 where
            the answers are worse than those that only know how frequent each class is.
    """

    error_one_sample: float
    error_all_samples: float
    cross_entropy_bits: float
    izx_bits: float | None
    izy_bits: float


@dataclass(frozen=True)
class AttackCurve:
    """How many answers stay right as an attack may change more.

    Attributes:
        attack: "FGSM" (largest change of a pixel) or "L2 PGD" (Euclidean length of the change), pixels in [0, 1].
        gradient: What the attack follows: "mean code" or "12 samples", the mean of their probabilities.
        sizes: How much it may change.
        accuracies: Share of right answers at each size; answers as in `ImageEvaluation.error_all_samples`.
        unmoved: Share of images that the attack leaves as they are at its largest size, because their gradient is 0:
            where it is not small, the curve flatters the network.
        images: Number of images.
    """

    attack: str
    gradient: str
    sizes: tuple[float, ...]
    accuracies: tuple[float, ...]
    unmoved: float
    images: int


@dataclass(frozen=True)
class DeepVIB:
    """One trained network.

    Attributes:
        settings: How it was trained; see `ImageTraining`.
        train_images: Fingerprint of the images that it was trained on.
        test_images: Fingerprint of those that it was evaluated on.
        samples: Samples of the code behind `error_all_samples`; 1 where it has no noise.
        raw: With the weights of the last step.
        averaged: With their moving average.
        attacks: Curves of the averaged weights.
        seconds: Of training.
    """

    settings: dict[str, Any]
    train_images: str
    test_images: str
    samples: int
    raw: ImageEvaluation
    averaged: ImageEvaluation
    attacks: tuple[AttackCurve, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "DeepVIB":
        """The inverse of `to_dict`, also after a journey through JSON.

        Args:
            fields: What `to_dict` gave.

        Returns:
            An equal result.
        """
        curves = (
            AttackCurve(**{**curve, "sizes": tuple(curve["sizes"]), "accuracies": tuple(curve["accuracies"])})
            for curve in fields["attacks"]
        )
        evaluations = {name: ImageEvaluation(**fields[name]) for name in ("raw", "averaged")}
        return cls(**{**fields, **evaluations, "attacks": tuple(curves)})
