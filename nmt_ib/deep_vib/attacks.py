"""Adversarial examples: small changes of an image that are meant to change its predicted class."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

Classifier = Callable[[Float[Tensor, "B P"]], Float[Tensor, "B K"]]


def log_odds_gradient(
    classifier: Classifier, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"]
) -> Float[Tensor, "B P"]:
    r"""Gradient of :math:`\ln \frac{1 - p_y}{p_y}`, the log-odds against the correct class, by the pixels.

    It is the gradient of the cross-entropy divided by :math:`1 - p_y`, hence has the same direction. But the gradient
    of the cross-entropy itself is lost to rounding where the classifier is confident: in float32 :math:`1 - p_y` is 0
    from 17 nats on, the rest of the gradient points elsewhere, and a network that is merely confident seems robust.

    Args:
        classifier: Returns log-probabilities of the classes.
        pixels: The images.
        labels: The correct classes.

    Returns:
        One gradient for each image.
    """
    correct = labels.unsqueeze(-1)
    with torch.enable_grad():
        pixels = pixels.detach().requires_grad_()
        log_probabilities = classifier(pixels)
        incorrect = log_probabilities.scatter(-1, correct, -torch.inf).logsumexp(-1)
        log_odds = incorrect - log_probabilities.gather(-1, correct).squeeze(-1)
        return torch.autograd.grad(log_odds.sum(), pixels)[0]


def fgsm(
    classifier: Classifier, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"], epsilons: Sequence[float]
) -> Float[Tensor, "E B P"]:
    r"""Fast gradient sign method, untargeted: :math:`\mathrm{clip}(x + \epsilon\,\mathrm{sign} \nabla_x CE, 0, 1)`.

    Args:
        classifier: See `log_odds_gradient`.
        pixels: Pixels in [0, 1].
        labels: The correct classes.
        epsilons: Maximum change of a pixel, on the scale of [0, 1].

    Returns:
        The changed images for each epsilon.

    References:
        Goodfellow, Shlens, Szegedy (2015), Explaining and Harnessing Adversarial Examples, section 4.
    """
    signs = log_odds_gradient(classifier, pixels, labels).sign()
    return torch.stack([(pixels + epsilon * signs).clamp(0, 1) for epsilon in epsilons])


def l2_pgd(
    classifier: Classifier, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"], radius: float, *, steps: int = 20
) -> Float[Tensor, "B P"]:
    """Projected gradient ascent of the cross-entropy in an L2 ball around each image, untargeted.

    Each step goes 2.5 radius / steps along the normalised gradient and is projected into the ball and into [0, 1].
    Clipping to [0, 1], where the image itself lies, cannot leave the ball.

    Args:
        classifier: See `log_odds_gradient`; called once per step, so that the noise of a stochastic classifier is
            averaged over the steps.
        pixels: The images, in [0, 1], from which the ascent starts.
        labels: The correct classes.
        radius: Radius of the ball, a Euclidean distance.
        steps: Number of steps.

    Returns:
        The changed images.

    References:
        Madry, Makelov, Schmidt, Tsipras, Vladu (2018), Towards Deep Learning Models Resistant to Adversarial Attacks.
    """
    # Differs from Alemi et al. (2017), who report the distance that the targeted attack of Carlini and Wagner needs:
    # accuracy at a given distance needs neither a search for each image nor a target class.
    changed = pixels
    for _ in range(steps):
        direction = normalize(log_odds_gradient(classifier, changed, labels), dim=-1)
        change = changed + 2.5 * radius / steps * direction - pixels
        change = change * (radius / change.norm(dim=-1, keepdim=True).clamp(min=radius))
        changed = (pixels + change).clamp(0, 1)
    return changed
