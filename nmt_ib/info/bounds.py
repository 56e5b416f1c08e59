r"""Variational bounds of mutual information on a matrix of scores :math:`s_{ij} = s(x_i, y_j)` of N pairs, in nats.

The pairs (x_i, y_i) on the diagonal go together; those off it do not. Each bound holds for any scores in expectation
over fresh pairs: scores that were fitted to the same pairs prove nothing.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import logsigmoid

SMILE_CLIP = 5.0


def donsker_varadhan(scores: Float[Tensor, "N N"]) -> Float[Tensor, ""]:
    r"""The bound of Donsker & Varadhan, which MINE maximises (Belghazi et al. 2018, eq. 10).

    .. math:: \frac1N \sum_i s_{ii} - \ln \frac{1}{N (N - 1)} \sum_{i \ne j} e^{s_{ij}}

    Args:
        scores: Of N >= 2 pairs.

    Returns:
        Nats; a lower bound up to the logarithm of a mean, which is too small on average, so that it errs upwards where
        N is small.
    """
    return scores.diagonal().mean() - _log_mean_exp(_off(scores))


def nwj(scores: Float[Tensor, "N N"]) -> Float[Tensor, ""]:
    r"""The bound of Nguyen, Wainwright & Jordan (2010): unbiased, of large variance.

    .. math:: 1 + \frac1N \sum_i s_{ii} - \frac{1}{N (N - 1)} \sum_{i \ne j} e^{s_{ij}}

    Differs from the paper by a constant in the scores, so that the best are :math:`\ln p(x, y) / p(x) p(y)` here, too.

    Args:
        scores: Of N >= 2 pairs.

    Returns:
        Nats; a lower bound.
    """
    return 1 + scores.diagonal().mean() - _log_mean_exp(_off(scores)).exp()


def info_nce(scores: Float[Tensor, "N N"]) -> Float[Tensor, ""]:
    r"""The bound of van den Oord et al. (2018): of small variance, and at most ln N.

    .. math:: \frac1N \sum_i \ln \frac{e^{s_{ii}}}{\frac1N \sum_j e^{s_{ij}}}

    Args:
        scores: Of N pairs.

    Returns:
        Nats; a lower bound, <= ln N.
    """
    return (scores.diagonal() - scores.logsumexp(1)).mean() + math.log(len(scores))


def smile(scores: Float[Tensor, "N N"]) -> Float[Tensor, ""]:
    r"""The estimate of Song & Ermon (2020, eq. 8): Donsker & Varadhan with the second term's scores held to +-5.

    Args:
        scores: Of N >= 2 pairs, by a critic that `jensen_shannon` trained.

    Returns:
        Nats; less variance for some bias, and no bound.
    """
    return scores.diagonal().mean() - _log_mean_exp(_off(scores).clamp(-SMILE_CLIP, SMILE_CLIP))


def jensen_shannon(scores: Float[Tensor, "N N"]) -> Float[Tensor, ""]:
    r"""What trains the critic of `smile`: how well scores tell pairs from strangers, as a classifier.

    .. math:: \frac1N \sum_i \ln \sigma(s_{ii}) + \frac{1}{N (N - 1)} \sum_{i \ne j} \ln \sigma(-s_{ij})

    Args:
        scores: Of N >= 2 pairs.

    Returns:
        Nats, <= 0; its best critic is :math:`\ln p(x, y) / p(x) p(y)`.
    """
    return logsigmoid(scores.diagonal()).mean() + logsigmoid(-_off(scores)).mean()


# Name -> what is estimated, and what its critic is trained for: the gradient of `nwj` itself explodes where scores are
# still far off, and lost .4 of the 1.02 nats of two pairs of normals in 3,000 steps.
BOUNDS = {
    "dv": (donsker_varadhan, donsker_varadhan),
    "nwj": (nwj, jensen_shannon),
    "infonce": (info_nce, info_nce),
    "smile": (smile, jensen_shannon),
}


def _strangers(scores: Float[Tensor, "N N"]) -> Bool[Tensor, "N N"]:
    return ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)


def _off(scores: Float[Tensor, "N N"]) -> Float[Tensor, " P"]:
    return scores[_strangers(scores)]


def _log_mean_exp(values: Float[Tensor, " P"]) -> Float[Tensor, ""]:
    return values.logsumexp(0) - math.log(len(values))
