"""What a tolerated noise says: bits that still go through it, bits that it covers, embeddings that leave the cloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.gradient import by_token_read
from nmt_ib.attribution.noise_search import NoiseSearch
from nmt_ib.attribution.statistics import CorpusStatistics, distance_from_cloud
from nmt_ib.numerics import BITS_PER_NAT

AT_REST = 0.1  # largest change of log sigma in the last step
CLOUD_DRAWS = 8


@dataclass(frozen=True)
class Tolerated:
    """Noise that one state tolerates.

    Attributes:
        sigma: Of each source piece; 0 where there is none.
        prefix: Of each target token that the decoder has read, padded; None where the prefix was left alone.
        change: Largest change of log sigma in the last step of the search.
        outside: Share of disturbed embeddings that leave the cloud.
    """

    sigma: Float[Tensor, " S"]
    prefix: Float[Tensor, " T"] | None
    change: float
    outside: float


def tolerated_figures(found: Sequence[Tolerated], spread: Float[Tensor, " D"]) -> dict[str, Any]:
    """What the searches for one sentence say, as `outcome` takes it.

    Args:
        found: One where the state is looked at as a whole; else one for each position, in order.
        spread: Standard deviation of each dimension of the embeddings.

    Returns:
        Scores are those of the position that holds most of a piece; sigma is the least of all positions.
    """
    sigma = torch.stack([one.sigma for one in found], dim=1)
    bits = capacity_bits(sigma, spread)
    best = sigma.masked_fill(sigma == 0, torch.inf).amin(1)
    best = torch.where(best.isinf(), 0.0, best)
    change = max(one.change for one in found)
    details = {"change": change, "discarded_bits": float(discarded_bits(best, spread).sum())}
    figures = {"scores": bits.amax(1), "bits": bits.amax(1), "sigma": best, "converged": change <= AT_REST}
    read = [one.prefix[: len(found)] for one in found if one.prefix is not None]
    if not read:
        return {**figures, "details": {**details, "outside_cloud": found[0].outside}}
    prefix = by_token_read(capacity_bits(torch.stack(read, dim=1), spread)[None])[0]
    return {**figures, "matrix": bits, "prefix_matrix": prefix, "details": details}


def capacity_bits(sigma: Float[Tensor, "*B"], spread: Float[Tensor, " D"]) -> Float[Tensor, "*B"]:
    r"""Capacity of the channel that adds noise of deviation sigma to each dimension of an embedding.

    .. math:: I = \frac12 \sum_k \log_2(1 + s_k^2 / \sigma^2)

    Args:
        sigma: Noise; 0 where there is none, which counts as unknown, 0 bits.
        spread: :math:`s`, standard deviation of each dimension of the embeddings.

    Returns:
        Bits, >= 0, -> 0 as sigma grows.
    """
    ratio = (spread / sigma[..., None]).square()
    return torch.where(sigma > 0, ratio.log1p().sum(-1) * (0.5 * BITS_PER_NAT), 0.0)


def discarded_bits(sigma: Float[Tensor, "*B"], spread: Float[Tensor, " D"]) -> Float[Tensor, "*B"]:
    r"""What is lost relative to the embeddings' own spread, :math:`\sum_k \log_2 (\sigma / s_k)`, at least 0.

    Args:
        sigma: Noise; 0 where there is none.
        spread: :math:`s`, standard deviation of each dimension of the embeddings.

    Returns:
        Bits, >= 0.
    """
    return torch.where(sigma > 0, (sigma[..., None] / spread).log2().sum(-1), 0.0).clamp(min=0)


def outside_cloud(
    problem: NoiseSearch, sigma: Float[Tensor, "B S"], statistics: CorpusStatistics
) -> Float[Tensor, " B"]:
    """Share of disturbed embeddings that leave the cloud of the corpus' own, by `CLOUD_DRAWS` draws of noise.

    Args:
        problem: Sentences, and the noise.
        sigma: Its deviation.
        statistics: Of the corpus; they know the cloud.

    Returns:
        One share a sentence, 0 to 1.
    """
    cloud = statistics.layer(0)
    draws = [
        distance_from_cloud(problem.inputs + sigma[..., None] * problem.noise(), cloud) > statistics.radius
        for _ in range(CLOUD_DRAWS)
    ]
    return (torch.stack(draws).double().mean(0) * problem.disturbed).sum(1) / problem.disturbed.sum(1).clamp(min=1)
