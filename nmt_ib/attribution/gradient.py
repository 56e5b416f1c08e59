"""Gradient and gradient x input of the target's log-probability with respect to the embeddings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.assemble import assemble_attribution
from nmt_ib.attribution.scoring import Scorer, target_scorer
from nmt_ib.batching import map_pairs_in_batches
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target


@dataclass(frozen=True)
class Gradient:
    r"""L2 norm of the gradient of each target's log-probability with respect to each piece's embedding.

    .. math:: g_{it} = \lVert \partial \log_2 p(y_t | x, y_{<t}) / \partial x_i \rVert_2

    Attributes:
        times_input: Whether to take the signed dot product of gradient and embedding instead, in bits: to first order,
            the loss of log-probability when the embedding is set to zero.
        layer: Encoder layer whose output replaces the embeddings :math:`x`, 0 to the number of layers; 0: the
            embeddings.

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
            model: A translation model or a classifier; its weights and mode are left unchanged.
            sources: Tokenised sentences.
            targets: Tokenised translations, or numbers of labels, in the same order.
            batch_size: Number of sentences per forward pass; does not affect results.

        Returns:
            One per sentence, in order.
        """

        def explain(sources: list[Sentence], targets: list[Target]) -> Iterator[Attribution]:
            scorer = target_scorer(model, sources, targets)
            inputs = inputs_at_layer(scorer, scorer.inputs(), self.layer)
            along = inputs if self.times_input else None
            matrix, *prefix = target_gradients(scorer, inputs, along=along, layer=self.layer)
            for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
                length = int(scorer.target_mask[row].sum())
                yield assemble_attribution(
                    model,
                    source,
                    target,
                    method="input_x_gradient" if self.times_input else "gradient",
                    layer=self.layer,
                    unit="bits" if self.times_input else "",
                    matrix=matrix[row, : len(source), :length],
                    prefix_matrix=prefix[0][row, :length, :length] if prefix else None,
                    passes=1 + length,
                )

        return map_pairs_in_batches(explain, sources, targets, batch_size)


def inputs_at_layer(scorer: Scorer, inputs: Sequence[Tensor], layer: int) -> list[Float[Tensor, "B _ D"]]:
    """Inputs with the sources' embeddings replaced by the output of an encoder layer.

    Args:
        scorer: Sources and targets.
        inputs: See `Scorer.inputs`.
        layer: 0 to the number of encoder layers.

    Returns:
        States of the sources, and for a translation the embeddings of the target prefix.
    """
    embeddings, *prefix = inputs
    return [scorer.model.encode(embeddings, scorer.batch.mask, to_layer=layer), *prefix]


@torch.enable_grad()
def target_gradients(
    scorer: Scorer, inputs: Sequence[Tensor], *, along: Sequence[Tensor] | None = None, layer: int = 0
) -> list[Float[Tensor, "B _ T"]]:
    """Gradients of the log2-probability of each target token, or of the label, with respect to the inputs.

    Args:
        scorer: Sources and targets.
        inputs: States of the sources (B, S, D) and, for a translation, embeddings of the target prefix (B, T, D).
        along: Directions of the same shapes; None: norms of the gradients are returned.
        layer: Encoder layer whose output the states of the sources are.

    Returns:
        Source pieces x targets, 0 for special pieces; and for a translation target tokens x targets, where row j is
        token j as read by the decoder. With directions: the signed dot product of each position's gradient and
        direction, in bits; without: the L2 norm of each position's gradient, >= 0.
    """
    leaves = [states.detach().requires_grad_() for states in inputs]
    states = scorer.output_states(*leaves, from_layer=layer)
    # A target depends on its own output state alone. So the output layer, the larger half of a translation model, is
    # differentiated once for all targets; the states times its gradient have the log-probabilities' gradients.
    detached = states.detach().requires_grad_()
    (gradients,) = torch.autograd.grad(scorer.score(detached).sum(), detached)
    linearized = (states * gradients).sum(2) * BITS_PER_NAT
    columns: list[list[Tensor]] = [[] for _ in leaves]
    for target in range(linearized.shape[1]):
        for part, gradient in enumerate(torch.autograd.grad(linearized[:, target].sum(), leaves, retain_graph=True)):
            columns[part].append(gradient.norm(dim=2) if along is None else (gradient * along[part]).sum(2))
    source, *prefix = (torch.stack(part, dim=2) for part in columns)
    return [source * (scorer.batch.word_index >= 0)[..., None], *map(rows_of_tokens, prefix)]


def rows_of_tokens(prefix: Float[Tensor, "B T U"]) -> Float[Tensor, "B T U"]:
    """Moves rows up by one, from decoder positions to target tokens: token j is read at position j + 1.

    Args:
        prefix: Row 0: the start piece; row j: token j - 1.

    Returns:
        Row j: token j; 0 for the last token, which is never read.
    """
    return torch.cat([prefix[:, 1:], torch.zeros_like(prefix[:, :1])], dim=1)
