"""Occlusion: loss of each target's log-probability when a word, or a token of the target prefix, is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.assemble import assemble_attribution
from nmt_ib.attribution.scoring import target_scorer
from nmt_ib.batching import map_in_batches
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target

NONE = -2  # index that no word and no token has; special pieces have -1


@dataclass(frozen=True)
class Occlusion:
    r"""Loss of each target's log-probability when one word at a time is replaced by unknown pieces, in bits, signed.

    .. math:: o_{it} = \log_2 p(y_t | x, y_{<t}) - \log_2 p(y_t | x \text{ with word } i \text{ unknown}, y_{<t})

    All pieces of the word are replaced at once, and its score is divided evenly among them. For a translation, tokens
    of the target prefix are replaced one at a time, too. Negative: the target is more likely without the word.

    References:
        Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional Networks", section 4.2; Li et al. (2016),
        "Understanding Neural Networks through Representation Erasure", section 3.
    """

    @torch.no_grad()
    def __call__(
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: A translation model or a classifier; its weights and mode are left unchanged.
            sources: Tokenised sentences.
            targets: Tokenised translations, or numbers of labels, in the same order.
            batch_size: Number of sentences, intact or occluded, per forward pass; does not affect results.

        Returns:
            One per sentence, in order.
        """
        rows = [row for index in range(len(sources)) for row in _rows(index, sources[index], targets[index])]

        def logprobs(rows: list[tuple[int, int, int]]) -> list[Tensor]:
            indices, words, tokens = zip(*rows, strict=True)
            scorer = target_scorer(model, [sources[index] for index in indices], [targets[index] for index in indices])
            word, token = (scorer.batch.ids.new_tensor(hidden)[:, None] for hidden in (words, tokens))
            places = torch.arange(scorer.target_mask.shape[1], device=token.device)
            inputs = scorer.inputs(scorer.batch.word_index == word, places == token)
            bits = (scorer.logprobs(*inputs) * BITS_PER_NAT).cpu()
            return [row[mask] for row, mask in zip(bits, scorer.target_mask.cpu(), strict=True)]

        measured = map_in_batches(logprobs, rows, batch_size, length=lambda row: len(sources[row[0]]))
        grouped: list[list[Tensor]] = [[] for _ in sources]
        for (index, _, _), row_logprobs in zip(rows, measured, strict=True):
            grouped[index].append(row_logprobs)
        return [
            _attribution(model, *sentence) for sentence in zip(sources, targets, map(torch.stack, grouped), strict=True)
        ]


def _rows(index: int, source: Sentence, target: Target) -> list[tuple[int, int, int]]:
    """(sentence, word, token) of each pass: nothing occluded, each word, each token that the decoder reads."""
    read = len(target) - 1 if isinstance(target, Sentence) else 0
    words = [(index, word, NONE) for word in range(len(source.words))]
    return [(index, NONE, NONE), *words, *((index, NONE, token) for token in range(read))]


def _attribution(model: EncoderModel, source: Sentence, target: Target, logprobs: Float[Tensor, "R T"]) -> Attribution:
    losses = logprobs[0] - logprobs[1:]
    words, tokens = losses.split([len(source.words), len(losses) - len(source.words)])
    index = torch.tensor(source.word_index)
    in_word = index >= 0
    matrix = losses.new_zeros(len(index), losses.shape[1])
    matrix[in_word] = (words / index[in_word].bincount(minlength=len(words))[:, None])[index[in_word]]
    # No target depends on later tokens, and the last is never read: below the diagonal there are only rounding errors.
    prefix = torch.cat([tokens, torch.zeros_like(logprobs[:1])]).triu(1) if isinstance(target, Sentence) else None
    passes = len(logprobs)
    return assemble_attribution(
        model, source, target, method="occlusion", unit="bits", matrix=matrix, prefix_matrix=prefix, passes=passes
    )
