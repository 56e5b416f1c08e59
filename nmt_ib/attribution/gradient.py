"""Gradient and gradient x input: what a small change of an embedding does to the answer's log-probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.outcome import outcome
from nmt_ib.attribution.question import Question, Target, ask
from nmt_ib.batching import length_buckets
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence


@dataclass(frozen=True)
class Gradient:
    r"""Length of the gradient of each answer's log-probability with respect to each piece's embedding.

    .. math:: g_{it} = \lVert \partial \log_2 p(y_t | x, y_{<t}) / \partial x_i \rVert_2

    Attributes:
        times_input: Signed product with the embedding instead, summed over dimensions: first-order bits that go when
            the embedding is set to zero.

    References:
        Simonyan et al. (2014), "Deep Inside Convolutional Networks", section 3; Shrikumar et al. (2017), "Learning
        Important Features Through Propagating Activation Differences", section 2 (`times_input`).
    """

    times_input: bool = False

    def __call__(
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: A translation model or a classifier; its weights and mode are left as they are.
            sources: Tokenised sentences.
            targets: Tokenised translations, or labels, in the same order.
            batch_size: Sentences that go through the model at once; changes no result.

        Returns:
            One a sentence, in order.
        """
        found: dict[int, Attribution] = {}
        for bucket in length_buckets([len(source) for source in sources], batch_size):
            chosen, asked = [sources[index] for index in bucket], [targets[index] for index in bucket]
            matrices, prefixes = self._batch(ask(model, chosen, asked))
            for row, (index, source, target) in enumerate(zip(bucket, chosen, asked, strict=True)):
                length = len(target) if isinstance(target, Sentence) else 1
                found[index] = outcome(
                    model,
                    source,
                    target,
                    method="input_x_gradient" if self.times_input else "gradient",
                    unit="bits" if self.times_input else "",
                    matrix=matrices[row, : len(source), :length],
                    prefix_matrix=None if prefixes is None else prefixes[row, :length, :length],
                    passes=1 + length,
                )
        return [found[index] for index in range(len(sources))]

    def _batch(self, question: Question) -> tuple[Float[Tensor, "B S T"], Float[Tensor, "B T T"] | None]:
        embeddings = question.model.embed(question.batch.ids).detach().requires_grad_()
        prefix = question.prefix()
        inputs = [embeddings] if prefix is None else [embeddings, prefix.detach().requires_grad_()]
        logprobs = question.logprobs(embeddings, None if prefix is None else inputs[1])
        columns = [
            torch.autograd.grad(logprobs[:, column].sum(), inputs, retain_graph=True)
            for column in range(logprobs.shape[1])
        ]
        shares = [
            torch.stack([self._worth(gradients[part], inputs[part]) for gradients in columns], dim=2)
            for part in range(len(inputs))
        ]
        source = shares[0] * (question.batch.word_index >= 0)[..., None]
        return source, None if prefix is None else by_token_read(shares[1])

    def _worth(self, gradient: Float[Tensor, "B S D"], embedding: Float[Tensor, "B S D"]) -> Float[Tensor, "B S"]:
        worth = (gradient * embedding.detach()).sum(2) if self.times_input else gradient.norm(dim=2)
        return worth * BITS_PER_NAT


def by_token_read(prefix: Float[Tensor, "B T U"]) -> Float[Tensor, "B T U"]:
    """Rows moved up by one, so that row j is target token j, which the decoder reads at position j + 1.

    Args:
        prefix: Row 0: the start piece, row j: token j - 1.

    Returns:
        The same for tokens; the last token is never read and gets 0.
    """
    return torch.cat([prefix[:, 1:], torch.zeros_like(prefix[:, :1])], dim=1)
