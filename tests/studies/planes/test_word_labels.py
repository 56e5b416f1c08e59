"""Labels of words and their alignment, by hand."""

import math

import numpy as np
import pytest
import torch

from nmt_ib.studies.planes.word_labels import (
    EDGE,
    NEXT,
    POS,
    PREVIOUS,
    UNKNOWN,
    WORD,
    aligned_pieces,
    corrected_information,
    first_pieces,
    words_around,
)
from nmt_ib.types import Sentence, Word


def sentence(words, index):
    spans = tuple(Word(word, 0, len(word), pos) for word, pos in words)
    return Sentence("", tuple(range(len(index))), tuple(f"p{place}" for place in range(len(index))), index, words=spans)


def test_labels_of_words_and_their_neighbours():
    source = sentence([("The", "DET"), ("dog", "NOUN"), ("ran", "")], (-1, 0, 1, 1, 2, -1))
    assert words_around([source, sentence([("No", "INTJ")], (0,))]) == {
        WORD: ["the", "dog", "ran", "no"],
        PREVIOUS: [EDGE, "the", "dog", EDGE],
        NEXT: ["dog", "ran", EDGE, EDGE],
        POS: ["DET", "NOUN", UNKNOWN, "INTJ"],
    }
    assert first_pieces(source) == [1, 2, 4]


def test_a_word_is_aligned_with_the_step_that_attends_most_to_it():
    source = sentence([("a", ""), ("b", "")], (0, 1, 1, -1))
    target = Sentence("", (5, 6, 7), ("x", "y", "</s>"), (-1, -1, -1))
    attention = torch.tensor([[[0.9, 0, 0, 0.1], [0.1, 0.3, 0.3, 0.3], [0.6, 0.1, 0.1, 0.2]]])
    index = torch.tensor([[0, 1, 1, -1]])
    # Step 1 has x as input and y as output and attends to the two pieces of b; step 2 has y as input and attends to a.
    assert aligned_pieces(attention, index, [source], [target], align_input=True) == ["y", "x"]
    assert aligned_pieces(attention, index, [source], [target], align_input=False) == ["x", "y"]


def test_corrected_information_is_about_that_of_the_pairs_and_0_for_independent_ones():
    words = list("abcd") * 200
    assert corrected_information(words, [word.upper() for word in words]) == pytest.approx(math.log(4), abs=0.02)
    other = np.random.default_rng(1).choice(list("uvwxyz"), 800).tolist()
    assert corrected_information(words, other) == pytest.approx(0, abs=0.02)
