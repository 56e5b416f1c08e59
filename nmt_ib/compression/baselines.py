"""Baselines for a bottleneck: raw vectors, principal components, an MLP without a rate term, gold tags, random tags."""

import torch
from jaxtyping import Float, Int
from sklearn.decomposition import PCA
from torch import Tensor, nn

from nmt_ib.compression.tags import FeedForward, Tags, WordBatch
from nmt_ib.errors import RequestError


class Identity(nn.Module):
    """The uncompressed word vector.

    Args:
        inputs: Dimensions D of a word vector.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.width = inputs

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """The vectors, see `Compressor`."""
        return without_rate(vectors)

    def anneal_(self, progress: float) -> None:
        """Does nothing: there is no schedule."""

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Does nothing: there are no statistics of training words."""


class PrincipalComponents(Identity):
    """Principal components of the training words: a fixed linear map.

    Args:
        inputs: Dimensions D of a word vector.
        width: Number d of components.

    Raises:
        RequestError: There are more components than dimensions.
    """

    mean: Tensor
    components: Tensor

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(width)
        if inputs < width:
            raise RequestError(
                f"{width} principal components need vectors of at least {width} dimensions, not {inputs}"
            )
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("components", torch.zeros(width, inputs))

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """The coordinates of the vectors, see `Compressor`."""
        return without_rate((vectors - self.mean) @ self.components.T)

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Finds the directions of largest variance.

        Args:
            vectors: Vectors of training words, at least d of them.
            words: The words.

        Raises:
            RequestError: There are fewer words than components.
        """
        if len(vectors) < self.width:
            raise RequestError(
                f"{self.width} principal components need at least {self.width} words, not {len(vectors)}"
            )
        pca = PCA(self.width, svd_solver="covariance_eigh").fit(vectors.cpu().numpy())
        self.mean.copy_(torch.from_numpy(pca.mean_))
        self.components.copy_(torch.from_numpy(pca.components_))


class MLP(Identity):
    """A network with one hidden layer, trained without a rate term; Li and Eisner's MLP baseline.

    Args:
        inputs: Dimensions D of a word vector.
        width: Dimensions d of the output.
        dropout: Dropout rate of each layer's input.
    """

    def __init__(self, inputs: int, width: int, dropout: float = 0.0) -> None:
        super().__init__(width)
        self.network = FeedForward([inputs, (inputs + width) // 2, width], dropout)

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """The outputs of the network, see `Compressor`."""
        return without_rate(self.network(vectors, generator))


class GoldTags(Identity):
    """A learned vector for each gold part of speech; the rate of a word is -ln of its tag's share of training words.

    Args:
        tags: Number K of parts of speech; one more stands for those that do not occur in training.
        width: Dimensions d of a tag's vector.
    """

    log_share: Tensor

    def __init__(self, tags: int, width: int) -> None:
        super().__init__(width)
        self.register_buffer("log_share", torch.zeros(tags + 1))
        self.tag_vectors = nn.Embedding(tags + 1, width)

    def forward(
        self, vectors: Float[Tensor, "N D"], batch: WordBatch, samples: int, generator: torch.Generator | None
    ) -> Tags:
        """Vectors of the words' tags, see `Compressor`."""
        tags = self.tags(batch)
        rate = -self.log_share[tags]
        return Tags(self.tag_vectors(tags)[None], rate, torch.zeros_like(rate))

    def fit_(self, vectors: Float[Tensor, "N D"], words: WordBatch) -> None:
        """Estimates the distribution of the tags, with add-1/2 smoothing.

        Args:
            vectors: Vectors of training words.
            words: The words.
        """
        counts = torch.bincount(self.tags(words), minlength=len(self.log_share)) + 0.5
        self.log_share.copy_((counts / counts.sum()).log())

    def tags(self, batch: WordBatch) -> Int[Tensor, " N"]:
        """Index of each word's tag, the last one where it does not occur in training."""
        return torch.where(batch.upos < 0, len(self.log_share) - 1, batch.upos)


class RandomTags(GoldTags):
    """One of K tags for each word form, chosen by a hash: the baseline for a rate that carries no chosen information.

    Args:
        tags: Number K of tags.
        width: Dimensions d of a tag's vector.
    """

    def tags(self, batch: WordBatch) -> Int[Tensor, " N"]:
        """Index of each form's tag, also of forms that do not occur in training."""
        return batch.forms % (len(self.log_share) - 1)


def without_rate(values: Float[Tensor, "N d"]) -> Tags:
    """Deterministic continuous tags, whose rate is not finite.

    Args:
        values: Value of each word's tag.

    Returns:
        The tags, with NaN rates.
    """
    zeros = values.new_zeros(len(values))
    return Tags(values[None], zeros + torch.nan, zeros)
