"""Continuous tags: a diagonal Gaussian for each word."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from nmt_ib.compression.tags import Tags, WordBatch, tag_encoder
from nmt_ib.info.divergences import gaussian_kl

MIN_STD = 1e-4  # keeps rates finite
SOFTPLUS_ONE = math.log(math.e - 1)  # softplus(SOFTPLUS_ONE) = 1


class GaussianTags(nn.Module):
    r"""Tags :math:`t \sim N(\mu(x), \sigma(x)^2)`, their rate measured against a prior :math:`r(t) = N(m, \tau^2)`.

    Args:
        inputs: Dimensions D of a word vector.
        width: Dimensions d of a tag.
        deep: Whether the encoder has two hidden layers; otherwise it is linear.
        dropout: Dropout rate of each encoder layer's input.
        standard_prior: Whether r is the standard normal distribution instead of a learned diagonal Gaussian.
        type_width: Dimensions E of context-free vectors; 0: `context_nats` is not computed.

    References:
        Li and Eisner (2019), "Specializing Word Embeddings (for Parsing) by Information Bottleneck", section 2.
        Differs from the authors' code: one prior for all positions of a sentence; standard deviations by a softplus.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        *,
        deep: bool = False,
        dropout: float = 0.0,
        standard_prior: bool = False,
        type_width: int = 0,
    ) -> None:
        super().__init__()
        self.width = width
        self.token_encoder = tag_encoder(inputs, width, 2 * width, deep=deep, dropout=dropout)
        self.type_encoder = (
            tag_encoder(type_width, width, 2 * width, deep=deep, dropout=dropout) if type_width else None
        )
        self.prior_mean = nn.Parameter(torch.zeros(width), requires_grad=not standard_prior)
        self.prior_raw_std = nn.Parameter(torch.full((width,), SOFTPLUS_ONE), requires_grad=not standard_prior)

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """Samples of the tags, or their means.

        Args:
            vectors: Vectors of the words.
            batch: The words, with context-free vectors if `context_nats` is needed.
            samples: Number of samples.
            generator: Source of the samples; None: the mean, once.

        Returns:
            The tags.
        """
        mean, std = _gaussian(self.token_encoder(vectors, generator))
        rate = gaussian_kl(mean, std, self.prior_mean, softplus(self.prior_raw_std) + MIN_STD)
        context = torch.zeros_like(rate)
        if self.type_encoder is not None and batch.types is not None:
            context = gaussian_kl(mean, std, *_gaussian(self.type_encoder(batch.types, generator)))
        if generator is None:
            return Tags(mean[None], rate, context)
        noise = torch.randn((samples, *mean.shape), generator=generator).to(mean)
        return Tags(mean + std * noise, rate, context)

    def anneal_(self, progress: float) -> None:
        """Does nothing: there is no schedule."""

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Does nothing: there are no statistics of training words."""


def _gaussian(parameters: Float[Tensor, "N P"]) -> tuple[Float[Tensor, "N d"], Float[Tensor, "N d"]]:
    """Mean and standard deviation; an output of 0 gives the standard normal distribution."""
    mean, raw_std = parameters.chunk(2, dim=-1)
    return mean, softplus(raw_std + SOFTPLUS_ONE) + MIN_STD
