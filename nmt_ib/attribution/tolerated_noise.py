"""Results of a noise search: bits that pass the tolerated noise, discarded bits, share outside the embedding cloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.gradient import rows_of_tokens
from nmt_ib.attribution.noise_search import NoiseSearch
from nmt_ib.attribution.statistics import CorpusStatistics, distance_from_cloud
from nmt_ib.numerics import BITS_PER_NAT

MAX_CHANGE = 0.1  # of log sigma in the last step of a search that counts as converged
CLOUD_DRAWS = 8


@dataclass(frozen=True)
class ToleratedNoise:
    """Noise that one state tolerates.

    Attributes:
        sigma: Noise of each source piece, in units of the embeddings; 0: the piece got none.
        prefix: Noise of each token of the target prefix, padded; None: the prefix was not perturbed.
        change: Largest change of log sigma in the last step of the search.
        outside_cloud: Share of perturbed embeddings outside the corpus' cloud, 0 to 1.
    """

    sigma: Float[Tensor, " S"]
    prefix: Float[Tensor, " T"] | None
    change: float
    outside_cloud: float


def tolerated_noise_fields(searches: Sequence[ToleratedNoise], embedding_std: Float[Tensor, " D"]) -> dict[str, Any]:
    """The results of the searches for one sentence, as arguments of `assemble_attribution`.

    Args:
        searches: One for the whole state; or one for each position of the state, in order.
        embedding_std: Standard deviation of each dimension of the embeddings.

    Returns:
        Scores and bits are the maximum over positions, sigma is the minimum over positions.
    """
    sigma = torch.stack([search.sigma for search in searches], dim=1)
    bits = capacity_bits(sigma, embedding_std)
    least = sigma.masked_fill(sigma == 0, torch.inf).amin(1)
    least = torch.where(least.isinf(), 0.0, least)
    change = max(search.change for search in searches)
    details = {"change": change, "discarded_bits": float(discarded_bits(least, embedding_std).sum())}
    fields = {"scores": bits.amax(1), "bits": bits.amax(1), "sigma": least, "converged": change <= MAX_CHANGE}
    prefixes = [search.prefix[: len(searches)] for search in searches if search.prefix is not None]
    if not prefixes:
        return {**fields, "details": {**details, "outside_cloud": searches[0].outside_cloud}}
    prefix = rows_of_tokens(capacity_bits(torch.stack(prefixes, dim=1), embedding_std)[None])[0]
    return {**fields, "matrix": bits, "prefix_matrix": prefix, "details": details}


def capacity_bits(sigma: Float[Tensor, "*B"], embedding_std: Float[Tensor, " D"]) -> Float[Tensor, "*B"]:
    r"""Capacity of the Gaussian channel that adds noise sigma to each dimension of an embedding.

    .. math:: I = \frac12 \sum_k \log_2(1 + s_k^2 / \sigma^2)

    Args:
        sigma: Standard deviation of the noise; 0: the piece has no noise, and 0 bits are returned.
        embedding_std: :math:`s`, standard deviation of each dimension of the embeddings.

    Returns:
        Bits, >= 0, -> 0 as sigma grows.
    """
    ratio = (embedding_std / sigma[..., None]).square()
    return torch.where(sigma > 0, ratio.log1p().sum(-1) * (0.5 * BITS_PER_NAT), 0.0)


def discarded_bits(sigma: Float[Tensor, "*B"], embedding_std: Float[Tensor, " D"]) -> Float[Tensor, "*B"]:
    r"""Bits by which the entropy of the noise exceeds that of the embeddings, :math:`\sum_k \log_2 (\sigma / s_k)`.

    Args:
        sigma: Standard deviation of the noise; 0: no noise.
        embedding_std: :math:`s`, standard deviation of each dimension of the embeddings.

    Returns:
        Bits, clipped at 0.
    """
    return torch.where(sigma > 0, (sigma[..., None] / embedding_std).log2().sum(-1), 0.0).clamp(min=0)


def share_outside_cloud(
    search: NoiseSearch, sigma: Float[Tensor, "B S"], statistics: CorpusStatistics
) -> Float[Tensor, " B"]:
    """Share of perturbed embeddings outside the cloud of the corpus' embeddings, over `CLOUD_DRAWS` noise draws.

    Args:
        search: Sentences and their generators of noise.
        sigma: Standard deviation of the noise.
        statistics: Statistics of the corpus, with the radius of the cloud.

    Returns:
        One share per sentence, 0 to 1.
    """
    cloud = statistics.layer(0)
    draws = [
        distance_from_cloud(search.inputs + sigma[..., None] * search.noise(), cloud) > statistics.radius
        for _ in range(CLOUD_DRAWS)
    ]
    return (torch.stack(draws).double().mean(0) * search.perturbed).sum(1) / search.perturbed.sum(1).clamp(min=1)
