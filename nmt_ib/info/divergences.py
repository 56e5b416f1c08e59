"""Kullback-Leibler divergences in closed form, in nats, summed over the last axis."""

from jaxtyping import Float
from torch import Tensor


def gaussian_kl(
    mean: Float[Tensor, "*B D"],
    std: Float[Tensor, "*B D"],
    prior_mean: Float[Tensor, "*#B D"],
    prior_std: Float[Tensor, "*#B D"],
) -> Float[Tensor, "*B"]:
    r"""KL(N(mean, std^2) || N(prior_mean, prior_std^2)) of diagonal Gaussians.

    .. math:: \sum_k \ln \frac{\tau_k}{\sigma_k} + \frac{\sigma_k^2 + (\mu_k - m_k)^2}{2 \tau_k^2} - \frac12

    Args:
        mean: :math:`\mu`.
        std: :math:`\sigma`, above 0.
        prior_mean: :math:`m`.
        prior_std: :math:`\tau`, above 0.

    Returns:
        Nats, >= 0.
    """
    ratio = std / prior_std
    shift = (mean - prior_mean) / prior_std
    return 0.5 * (ratio.square() + shift.square() - 1 - 2 * ratio.log()).sum(-1)


def categorical_kl(log_p: Float[Tensor, "*B K"], log_r: Float[Tensor, "*#B K"]) -> Float[Tensor, "*B"]:
    r"""KL(p || r) of two distributions over K classes, :math:`\sum_k p_k (\ln p_k - \ln r_k)`.

    Args:
        log_p: Log-probabilities of p, -inf where p is 0.
        log_r: Log-probabilities of r, finite where p is above 0.

    Returns:
        Nats, >= 0.
    """
    p = log_p.exp()
    return (p * (log_p - log_r)).where(p > 0, 0.0).sum(-1)
