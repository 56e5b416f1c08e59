"""Continuous tags: a diagonal Gaussian for each word."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from nmt_ib.compression.tags import Tags, WordBatch, tag_encoder
from nmt_ib.info.divergences import gaussian_kl

MIN_DEVIATION = 1e-4  # deviation: keeps rates finite
UNIT = math.log(math.e - 1)  # softplus(UNIT) = 1


class GaussianTags(nn.Module):
    r"""Tags :math:`t \sim N(\mu(x), \sigma(x)^2)`, paid for against a prior :math:`r(t) = N(m, \tau^2)`.

    Args:
        inputs: Dimensions D of a word's vector.
        width: Dimensions d of a tag.
        deep: Whether a network with two hidden layers makes it; else it is linear in the word.
        dropout: Share of each layer's input that training drops.
        standard_prior: Whether r is the standard normal distribution, instead of a learned diagonal one.
        types: Dimensions E of context-free vectors; 0: `context_nats` is not computed.

    References:
        Li and Eisner (2019), "Specializing Word Embeddings (for Parsing) by Information Bottleneck", section 2.
        Differs from the authors' code: one prior for all positions of a sentence; deviations through a softplus.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        *,
        deep: bool = False,
        dropout: float = 0.0,
        standard_prior: bool = False,
        types: int = 0,
    ) -> None:
        super().__init__()
        self.width = width
        self.token_encoder = tag_encoder(inputs, width, 2 * width, deep=deep, dropout=dropout)
        self.type_encoder = tag_encoder(types, width, 2 * width, deep=deep, dropout=dropout) if types else None
        self.prior_mean = nn.Parameter(torch.zeros(width), requires_grad=not standard_prior)
        self.prior_free = nn.Parameter(torch.full((width,), UNIT), requires_grad=not standard_prior)

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """Samples of the tags, or their means.

        Args:
            vectors: Of the words.
            batch: The words, with context-free vectors where those count.
            samples: How many samples.
            generator: Of the samples; None: one, the mean.

        Returns:
            The tags.
        """
        mean, std = _gaussian(self.token_encoder(vectors, generator))
        rate = gaussian_kl(mean, std, self.prior_mean, softplus(self.prior_free) + MIN_DEVIATION)
        context = torch.zeros_like(rate)
        if self.type_encoder is not None and batch.types is not None:
            context = gaussian_kl(mean, std, *_gaussian(self.type_encoder(batch.types, generator)))
        if generator is None:
            return Tags(mean[None], rate, context)
        noise = torch.randn((samples, *mean.shape), generator=generator).to(mean)
        return Tags(mean + std * noise, rate, context)

    def anneal_(self, progress: float) -> None:
        """Nothing changes while it trains."""

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Nothing is to be known of the training words."""


def _gaussian(parameters: Float[Tensor, "N P"]) -> tuple[Float[Tensor, "N d"], Float[Tensor, "N d"]]:
    """Mean and deviation; a network that says 0 means a standard normal distribution."""
    mean, free = parameters.chunk(2, dim=-1)
    return mean, softplus(free + UNIT) + MIN_DEVIATION
