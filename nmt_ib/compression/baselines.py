"""What a bottleneck must beat: the vectors as they are, fewer dimensions, a network without a price, given tags."""

import torch
from jaxtyping import Float, Int
from sklearn.decomposition import PCA
from torch import Tensor, nn

from nmt_ib.compression.tags import FeedForward, Tags, WordBatch
from nmt_ib.errors import RequestError


class Identity(nn.Module):
    """The word's vector itself.

    Args:
        inputs: Its dimensions.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.width = inputs

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """The vectors, see `Compressor`."""
        return unpriced(vectors)

    def anneal_(self, progress: float) -> None:
        """Nothing changes while it trains."""

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Nothing is to be known of the training words."""


class Projection(Identity):
    """Principal components of the training words: a fixed linear map.

    Args:
        inputs: Dimensions D of a word's vector.
        width: Number d of components.

    Raises:
        RequestError: There are fewer dimensions than components.
    """

    mean: Tensor
    components: Tensor

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(width)
        if inputs < width:
            raise RequestError(f"{width} components need as many dimensions, and vectors have {inputs}")
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("components", torch.zeros(width, inputs))

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """The vectors' coordinates, see `Compressor`."""
        return unpriced((vectors - self.mean) @ self.components.T)

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Finds the directions of largest variance.

        Args:
            vectors: Of training words, at least d of them.
            words: The words.

        Raises:
            RequestError: There are fewer words than components.
        """
        if len(vectors) < self.width:
            raise RequestError(f"{self.width} components need as many words, not {len(vectors)}")
        found = PCA(self.width, svd_solver="covariance_eigh").fit(vectors.cpu().numpy())
        self.mean.copy_(torch.from_numpy(found.mean_))
        self.components.copy_(torch.from_numpy(found.components_))


class Network(Identity):
    """A network with one hidden layer, trained without a price; Li and Eisner's MLP.

    Args:
        inputs: Dimensions D of a word's vector.
        width: Dimensions d of what comes out.
        dropout: Share of each layer's input that training drops.
    """

    def __init__(self, inputs: int, width: int, dropout: float = 0.0) -> None:
        super().__init__(width)
        self.network = FeedForward([inputs, (inputs + width) // 2, width], dropout)

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """What comes out of the network, see `Compressor`."""
        return unpriced(self.network(vectors, generator))


class GivenTags(Identity):
    """A vector for each word's gold part of speech; its rate is what the tag costs, -ln of its share in training.

    Args:
        tags: Number K of parts of speech; one more stands for those that training has not.
        width: Dimensions d of a tag's vector.
    """

    log_share: Tensor

    def __init__(self, tags: int, width: int) -> None:
        super().__init__(width)
        self.register_buffer("log_share", torch.zeros(tags + 1))
        self.vectors = nn.Embedding(tags + 1, width)

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """Vectors of the words' tags, see `Compressor`."""
        tags = self.tags(batch)
        return Tags(self.vectors(tags)[None], -self.log_share[tags], torch.zeros_like(self.log_share[tags]))

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Counts the tags, half a word added to each.

        Args:
            vectors: Of training words.
            words: The words.
        """
        counts = torch.bincount(self.tags(words), minlength=len(self.log_share)) + 0.5
        self.log_share.copy_((counts / counts.sum()).log())

    def tags(self, batch: WordBatch) -> Int[Tensor, " N"]:
        """Number of each word's tag, the last one where training has not seen it."""
        return torch.where(batch.upos < 0, len(self.log_share) - 1, batch.upos)


class RandomTags(GivenTags):
    """One of K tags for each word form, at random: what a rate is worth that nobody has spent well.

    Args:
        tags: K.
        width: Dimensions d of a tag's vector.
    """

    def tags(self, batch: WordBatch) -> Int[Tensor, " N"]:
        """Number of each form's tag, forms never seen included."""
        return batch.forms % (len(self.log_share) - 1)


def unpriced(values: Float[Tensor, "N d"]) -> Tags:
    """Tags without a rate.

    Args:
        values: Of the words.

    Returns:
        The tags; NaN rates.
    """
    nothing = values.new_zeros(len(values))
    return Tags(values[None], nothing + torch.nan, nothing)
