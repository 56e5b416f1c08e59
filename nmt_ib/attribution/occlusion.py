"""Occlusion: what each answer loses when a word, or a token already written, is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.outcome import outcome
from nmt_ib.attribution.question import ask
from nmt_ib.batching import map_in_batches
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target

NOTHING = -2  # the index of no word and no token; special pieces have -1


@dataclass(frozen=True)
class Occlusion:
    r"""Signed loss of each answer when one word at a time is unknown to the model, in bits.

    .. math:: o_{it} = \log_2 p(y_t | x, y_{<t}) - \log_2 p(y_t | x \text{ with word } i \text{ unknown}, y_{<t})

    All pieces of the word become the unknown piece at once, and each gets an even share of the word's figure. Of a
    translation, one token at a time that the decoder has read becomes unknown, too. A negative figure says that the
    answer is likelier without the word.

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
            model: A translation model or a classifier; its weights and mode are left as they are.
            sources: Tokenised sentences.
            targets: Tokenised translations, or labels, in the same order.
            batch_size: Sentences, whole or occluded, that go through the model at once; changes no result.

        Returns:
            One a sentence, in order.
        """
        rows = [row for index in range(len(sources)) for row in _rows(index, sources[index], targets[index])]

        def logprobs(rows: list[tuple[int, int, int]]) -> list[Tensor]:
            indices, words, tokens = zip(*rows, strict=True)
            question = ask(model, [sources[index] for index in indices], [targets[index] for index in indices])
            word, token = (question.batch.ids.new_tensor(which)[:, None] for which in (words, tokens))
            places = torch.arange(question.answers.shape[1], device=token.device)
            inputs = question.inputs(question.batch.word_index == word, places == token)
            bits = (question.logprobs(*inputs) * BITS_PER_NAT).cpu()
            return [row[mask] for row, mask in zip(bits, question.answers.cpu(), strict=True)]

        measured = map_in_batches(logprobs, rows, batch_size, length=lambda row: len(sources[row[0]]))
        grouped: list[list[Tensor]] = [[] for _ in sources]
        for (index, _, _), one in zip(rows, measured, strict=True):
            grouped[index].append(one)
        return [_attribution(model, *about) for about in zip(sources, targets, map(torch.stack, grouped), strict=True)]


def _rows(index: int, source: Sentence, target: Target) -> list[tuple[int, int, int]]:
    """The sentence as it is, without each of its words, and without each token that the decoder reads."""
    read = len(target) - 1 if isinstance(target, Sentence) else 0
    words = [(index, word, NOTHING) for word in range(len(source.words))]
    return [(index, NOTHING, NOTHING), *words, *((index, NOTHING, token) for token in range(read))]


def _attribution(model: EncoderModel, source: Sentence, target: Target, logprobs: Float[Tensor, "R T"]) -> Attribution:
    losses = logprobs[0] - logprobs[1:]
    words, tokens = losses.split([len(source.words), len(losses) - len(source.words)])
    index = torch.tensor(source.word_index)
    inside = index >= 0
    matrix = losses.new_zeros(len(index), losses.shape[1])
    matrix[inside] = (words / index[inside].bincount(minlength=len(words))[:, None])[index[inside]]
    # No answer depends on later tokens, and nothing reads the last one: only rounding is left below the diagonal.
    prefix = torch.cat([tokens, torch.zeros_like(logprobs[:1])]).triu(1) if isinstance(target, Sentence) else None
    passes = len(logprobs)
    return outcome(
        model, source, target, method="occlusion", unit="bits", matrix=matrix, prefix_matrix=prefix, passes=passes
    )
