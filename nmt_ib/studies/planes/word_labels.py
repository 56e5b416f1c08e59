"""Labels of the words of sentences: the word, its neighbours, its part of speech, its aligned output."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.info.discrete import discrete_information
from nmt_ib.types import Sentence

WORD, PREVIOUS, NEXT, POS, OUTPUT = "word", "previous word", "next word", "part of speech", "output"
UNKNOWN = ""  # a missing label
EDGE = "<edge>"  # neighbour of the first and the last word


def words_around(sources: Sequence[Sentence]) -> dict[str, list[str]]:
    """Labels of all words, one sentence after the other.

    Args:
        sources: The sentences.

    Returns:
        Word, previous and next word in lower case, and part of speech if known.
    """
    labels: dict[str, list[str]] = {WORD: [], PREVIOUS: [], NEXT: [], POS: []}
    for source in sources:
        words = [word.text.lower() for word in source.words]
        labels[WORD] += words
        labels[PREVIOUS] += [EDGE, *words[:-1]] if words else []
        labels[NEXT] += [*words[1:], EDGE] if words else []
        labels[POS] += [word.pos or UNKNOWN for word in source.words]
    return labels


def first_pieces(source: Sentence) -> list[int]:
    """Index of the first piece of each word."""
    return [source.word_index.index(word) for word in range(len(source.words))]


def aligned_pieces(
    attention: Float[Tensor, "B T S"],
    word_index: Int[Tensor, "B S"],
    sources: Sequence[Sentence],
    targets: Sequence[Sentence],
    *,
    align_input: bool,
) -> list[str]:
    """The target piece that is aligned with each word: that of the decoder step with the highest attention to the word.

    Args:
        attention: Cross-attention; row t is the decoder step with target piece t - 1 as input and piece t as output.
        word_index: Word of each source piece.
        sources: The sentences.
        targets: Their translations.
        align_input: Whether a step aligns its input piece rather than its output piece.

    Returns:
        A piece for each word, one sentence after the other; "" if the translation is empty.
    """
    aligned = []
    for weights, index, source, target in zip(attention, word_index, sources, targets, strict=True):
        steps = weights[1 : len(target)] if align_input else weights[: len(target) - 1]  # one for each piece but `</s>`
        for word in range(len(source.words)):
            aligned.append(target.pieces[int(steps[:, index == word].sum(1).argmax())] if len(steps) else UNKNOWN)
    return aligned


def corrected_information(words: Sequence[str], pieces: Sequence[str]) -> float:
    """I(word; piece) by counting, in nats, minus that of shuffled pairs.

    Args:
        words: One word for each pair.
        pieces: One piece for each pair.

    Returns:
        Chance-corrected information, comparable over numbers of distinct pieces; may be below 0.
    """
    shuffled = np.random.default_rng(0).permutation(pieces)
    nats, chance = (discrete_information(np.array(words), np.array(other)).nats for other in (pieces, shuffled))
    return nats - chance
