"""Discrete tags: one of K for each word, trained through a relaxed sample."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import one_hot

from nmt_ib.compression.tags import Tags, WordBatch, tag_encoder
from nmt_ib.info.divergences import categorical_kl

MAX_TEMPERATURE, MIN_TEMPERATURE = 5.0, 0.5
ANNEALING = 0.5  # fraction of training over which the temperature falls
EPS = 1e-20


class DiscreteTags(nn.Module):
    r"""Tags :math:`t \sim p(t|x)`, one of K, their rate measured against a learned prior :math:`r(t)`.

    The parser reads a learned vector of each tag. In training a tag is a Gumbel-softmax sample whose temperature falls
    from 5 to 0.5; otherwise it is the most likely one.

    Args:
        inputs: Dimensions D of a word vector.
        tags: Number K of tags.
        width: Dimensions d of a tag's vector.
        deep: Whether the encoder has two hidden layers; otherwise it is linear.
        dropout: Dropout rate of each encoder layer's input.
        type_width: Dimensions E of context-free vectors; 0: `context_nats` is not computed.

    References:
        Li and Eisner (2019), section 3; Jang et al. (2017), "Categorical Reparameterization with Gumbel-Softmax".
        Differs from the authors' code: one prior for all positions of a sentence.
    """

    def __init__(
        self, inputs: int, tags: int, width: int, *, deep: bool = False, dropout: float = 0.0, type_width: int = 0
    ) -> None:
        super().__init__()
        self.width = width
        self.token_encoder = tag_encoder(inputs, tags, tags, deep=deep, dropout=dropout)
        self.type_encoder = tag_encoder(type_width, tags, tags, deep=deep, dropout=dropout) if type_width else None
        self.prior = nn.Parameter(torch.zeros(tags))
        self.tag_vectors = nn.Linear(tags, width, bias=False)
        self.temperature = MAX_TEMPERATURE

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """Vectors of sampled tags, relaxed samples in training mode, or of the most likely tags.

        Args:
            vectors: Vectors of the words.
            batch: The words, with context-free vectors if `context_nats` is needed.
            samples: Number of samples.
            generator: Source of the samples; None: the most likely tag, once.

        Returns:
            The tags.
        """
        log_p = self.token_encoder(vectors, generator).log_softmax(-1)
        rate = categorical_kl(log_p, self.prior.log_softmax(-1))
        context = torch.zeros_like(rate)
        if self.type_encoder is not None and batch.types is not None:
            context = categorical_kl(log_p, self.type_encoder(batch.types, generator).log_softmax(-1))
        scores = log_p[None]
        if generator is not None:
            uniform = torch.rand((samples, *log_p.shape), generator=generator).to(log_p)
            scores = scores - (-uniform.clamp(min=EPS).log()).clamp(min=EPS).log()
        if generator is not None and self.training:
            weights = (scores / self.temperature).softmax(-1)
        else:
            weights = one_hot(scores.argmax(-1), scores.shape[-1]).to(scores)
        return Tags(self.tag_vectors(weights), rate, context)

    def anneal_(self, progress: float) -> None:
        """Lowers the temperature geometrically.

        Args:
            progress: Fraction of training completed, 0 to 1.
        """
        fall = min(1.0, progress / ANNEALING)
        self.temperature = MAX_TEMPERATURE * (MIN_TEMPERATURE / MAX_TEMPERATURE) ** fall

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Does nothing: there are no statistics of training words."""

    @torch.no_grad()
    def tags(self, vectors: Float[Tensor, "N D"]) -> Int[Tensor, " N"]:
        """The most likely tag of each word.

        Args:
            vectors: Vectors of the words.

        Returns:
            Tags from 0 to K - 1.
        """
        return self.token_encoder(vectors, None).argmax(-1)
