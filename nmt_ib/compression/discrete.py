"""Discrete tags: one of K for each word, through a relaxed sample."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import one_hot

from nmt_ib.compression.tags import Tags, WordBatch, tag_encoder
from nmt_ib.info.divergences import categorical_kl

HOTTEST, COLDEST = 5.0, 0.5
COOLING = 0.5  # share of training after which the temperature is lowest


class DiscreteTags(nn.Module):
    r"""Tags :math:`t \sim p(t|x)`, one of K, paid for against a learned prior :math:`r(t)`.

    The parser reads a vector of each tag. While it trains, a tag is a Gumbel-softmax sample whose temperature falls
    from 5 to .5; otherwise it is the likeliest one.

    Args:
        inputs: Dimensions D of a word's vector.
        tags: K.
        width: Dimensions d of a tag's vector.
        deep: Whether a network with two hidden layers makes it; else it is linear in the word.
        dropout: Share of each layer's input that training drops.
        types: Dimensions E of context-free vectors; 0: `context_nats` is not computed.

    References:
        Li and Eisner (2019), section 3; Jang et al. (2017), "Categorical Reparameterization with Gumbel-Softmax".
        Differs from the authors' code: one prior for all positions of a sentence.
    """

    def __init__(
        self, inputs: int, tags: int, width: int, *, deep: bool = False, dropout: float = 0.0, types: int = 0
    ) -> None:
        super().__init__()
        self.width = width
        self.token_encoder = tag_encoder(inputs, tags, tags, deep=deep, dropout=dropout)
        self.type_encoder = tag_encoder(types, tags, tags, deep=deep, dropout=dropout) if types else None
        self.prior = nn.Parameter(torch.zeros(tags))
        self.vectors = nn.Linear(tags, width, bias=False)
        self.temperature = HOTTEST

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """Vectors of samples of the tags, relaxed ones while the module is in training mode, or of the likeliest tags.

        Args:
            vectors: Of the words.
            batch: The words, with context-free vectors where those count.
            samples: How many samples.
            generator: Of the samples; None: one, the likeliest tag.

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
            scores = scores - (-uniform.clamp(min=1e-20).log()).clamp(min=1e-20).log()
        if generator is not None and self.training:
            chosen = (scores / self.temperature).softmax(-1)
        else:
            chosen = one_hot(scores.argmax(-1), scores.shape[-1]).to(scores)
        return Tags(self.vectors(chosen), rate, context)

    def anneal_(self, progress: float) -> None:
        """Lowers the temperature, geometrically.

        Args:
            progress: Share of training that is done.
        """
        self.temperature = HOTTEST * (COLDEST / HOTTEST) ** min(1.0, progress / COOLING)

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Nothing is to be known of the training words."""

    @torch.no_grad()
    def tags(self, vectors: Float[Tensor, "N D"]) -> Int[Tensor, " N"]:
        """The likeliest tag of each word.

        Args:
            vectors: Of the words.

        Returns:
            Tags from 0 to K - 1.
        """
        return self.token_encoder(vectors, None).argmax(-1)
