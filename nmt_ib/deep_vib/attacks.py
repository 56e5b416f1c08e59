"""Small changes of an image that are meant to change the answer."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

Answer = Callable[[Float[Tensor, "B P"]], Float[Tensor, "B K"]]


def uphill(answer: Answer, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"]) -> Float[Tensor, "B P"]:
    r"""Gradient of :math:`\ln \frac{1 - p_y}{p_y}`, the log-odds against the right class, by the pixels.

    It is the gradient of the cross-entropy over :math:`1 - p_y`, so it points the same way. But the cross-entropy's own
    is lost to rounding where an answer is sure: in float32 :math:`1 - p_y` is 0 from 17 nats on, what is left of the
    gradient points elsewhere, and a network seems safe that is merely confident.

    Args:
        answer: Log-probabilities of the classes.
        pixels: The images.
        labels: The right classes.

    Returns:
        One gradient an image.
    """
    right = labels.unsqueeze(-1)
    with torch.enable_grad():
        pixels = pixels.detach().requires_grad_()
        log_probabilities = answer(pixels)
        wrong = log_probabilities.scatter(-1, right, -torch.inf).logsumexp(-1)
        against = wrong - log_probabilities.gather(-1, right).squeeze(-1)
        return torch.autograd.grad(against.sum(), pixels)[0]


def fgsm(
    answer: Answer, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"], epsilons: Sequence[float]
) -> Float[Tensor, "E B P"]:
    r"""Fast gradient sign method: :math:`\mathrm{clip}(x + \epsilon\,\mathrm{sign} \nabla_x \mathrm{CE}, 0, 1)`.

    Args:
        answer: See `uphill`.
        pixels: In [0, 1].
        labels: The right classes, which the answer is led away from.
        epsilons: How far each pixel moves, on the scale of [0, 1].

    Returns:
        For each epsilon the changed images.

    References:
        Goodfellow, Shlens, Szegedy (2015), Explaining and Harnessing Adversarial Examples, section 4.
    """
    signs = uphill(answer, pixels, labels).sign()
    return torch.stack([(pixels + epsilon * signs).clamp(0, 1) for epsilon in epsilons])


def l2_pgd(
    answer: Answer, pixels: Float[Tensor, "B P"], labels: Int[Tensor, " B"], radius: float, *, steps: int = 20
) -> Float[Tensor, "B P"]:
    """Projected gradient ascent of the cross-entropy in a ball around each image; no class is aimed at.

    Each step goes 2.5 radius / steps along the normalised gradient, then back into the ball and into [0, 1]. Being cut
    off to [0, 1], where the image itself lies, cannot lead out of the ball.

    Args:
        answer: See `uphill`; called once a step, so that noisy answers are averaged over the way.
        pixels: In [0, 1], where the way begins.
        labels: The right classes.
        radius: Of the ball, in Euclidean length.
        steps: Number of steps.

    Returns:
        The changed images.

    References:
        Madry, Makelov, Schmidt, Tsipras, Vladu (2018), Towards Deep Learning Models Resistant to Adversarial Attacks.
    """
    # Differs from Alemi et al. (2017), who report the length that the targeted attack of Carlini and Wagner needs: the
    # accuracy at a given length needs no search for each image, and no target.
    changed = pixels
    for _ in range(steps):
        direction = normalize(uphill(answer, changed, labels), dim=-1)
        change = changed + 2.5 * radius / steps * direction - pixels
        change = change * (radius / change.norm(dim=-1, keepdim=True).clamp(min=radius))
        changed = (pixels + change).clamp(0, 1)
    return changed
