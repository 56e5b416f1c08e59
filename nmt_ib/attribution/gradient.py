"""Gradient and gradient x input: what a small change of an embedding does to the answer's log-probability."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.outcome import outcome
from nmt_ib.attribution.question import Question, ask
from nmt_ib.batching import map_pairs_in_batches
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target


@dataclass(frozen=True)
class Gradient:
    r"""Length of the gradient of each answer's log-probability with respect to each piece's embedding.

    .. math:: g_{it} = \lVert \partial \log_2 p(y_t | x, y_{<t}) / \partial x_i \rVert_2

    Attributes:
        times_input: Signed product with the embedding instead, summed over dimensions: the bits that go, to first
            order, when the embedding is set to zero.
        layer: Layer of the encoder whose output stands in for the embeddings; 0: the embeddings.

    References:
        Simonyan et al. (2014), "Deep Inside Convolutional Networks", section 3; Shrikumar et al. (2017), "Learning
        Important Features Through Propagating Activation Differences", section 2 (`times_input`).
    """

    times_input: bool = False
    layer: int = 0

    @torch.inference_mode(False)
    @torch.no_grad()
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

        def explain(sources: list[Sentence], targets: list[Target]) -> Iterator[Attribution]:
            question = ask(model, sources, targets)
            inputs = entered(question, question.inputs(), self.layer)
            along = inputs if self.times_input else None
            matrix, *prefix = answer_gradients(question, inputs, along=along, layer=self.layer)
            for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
                answers = int(question.answers[row].sum())
                yield outcome(
                    model,
                    source,
                    target,
                    method="input_x_gradient" if self.times_input else "gradient",
                    layer=self.layer,
                    unit="bits" if self.times_input else "",
                    matrix=matrix[row, : len(source), :answers],
                    prefix_matrix=prefix[0][row, :answers, :answers] if prefix else None,
                    passes=1 + answers,
                )

        return map_pairs_in_batches(explain, sources, targets, batch_size)


def entered(question: Question, inputs: Sequence[Tensor], layer: int) -> list[Float[Tensor, "B _ D"]]:
    """What the model reads, with the output of an encoder layer instead of the sources' embeddings.

    Args:
        question: What is asked.
        inputs: As `Question.inputs` gives them.
        layer: 0 to the number of encoder layers.

    Returns:
        The same at that layer.
    """
    embeddings, *prefix = inputs
    return [question.model.encode(embeddings, question.batch.mask, to_layer=layer), *prefix]


@torch.enable_grad()
def answer_gradients(
    question: Question, inputs: Sequence[Tensor], *, along: Sequence[Tensor] | None = None, layer: int = 0
) -> list[Float[Tensor, "B _ T"]]:
    """What a small change of what the model reads does to each answer.

    Args:
        question: What is asked.
        inputs: States of the source (B, S, D) and, for a translation, embeddings of the target prefix (B, T, D).
        along: Directions of the same shapes; None: the steepest.
        layer: Layer whose output the states of the source are.

    Returns:
        Slopes of log2 p(y_t): pieces x answers, 0 for special pieces; and for a translation target tokens x answers,
        where row j is token j as the decoder has read it. Along a direction they are signed and each piece's summed
        over dimensions; without one they are the gradient's length.
    """
    leaves = [given.detach().requires_grad_() for given in inputs]
    states = question.answer_states(*leaves, from_layer=layer)
    # An answer depends on its own state alone. So the output layer, the larger half of a translation model, is gone
    # through once for all answers; the states times its slopes have the log-probabilities' gradient.
    read = states.detach().requires_grad_()
    (slopes,) = torch.autograd.grad(question.score(read).sum(), read)
    answers = (states * slopes).sum(2) * BITS_PER_NAT
    columns: list[list[Tensor]] = [[] for _ in leaves]
    for answer in range(answers.shape[1]):
        for part, gradient in enumerate(torch.autograd.grad(answers[:, answer].sum(), leaves, retain_graph=True)):
            columns[part].append(gradient.norm(dim=2) if along is None else (gradient * along[part]).sum(2))
    source, *prefix = (torch.stack(part, dim=2) for part in columns)
    return [source * (question.batch.word_index >= 0)[..., None], *map(by_token_read, prefix)]


def by_token_read(prefix: Float[Tensor, "B T U"]) -> Float[Tensor, "B T U"]:
    """Rows moved up by one, so that row j is target token j, which the decoder reads at position j + 1.

    Args:
        prefix: Row 0: the start piece, row j: token j - 1.

    Returns:
        The same for tokens; the last token is never read and gets 0.
    """
    return torch.cat([prefix[:, 1:], torch.zeros_like(prefix[:, :1])], dim=1)
