"""States of layers and their labels, by hand."""

import torch

from nmt_ib.studies.planes.layer_states import (
    EDGE,
    NEXT,
    OUTPUT,
    POS,
    PREVIOUS,
    UNKNOWN,
    WORD,
    aligned,
    first_pieces,
    gathered_states,
    words_around,
)
from nmt_ib.types import Sentence, Word


def sentence(words, index):
    spans = tuple(Word(word, 0, len(word), pos) for word, pos in words)
    return Sentence("", tuple(range(len(index))), tuple(f"p{place}" for place in range(len(index))), index, words=spans)


def test_words_know_their_neighbours():
    source = sentence([("The", "DET"), ("dog", "NOUN"), ("ran", "")], (-1, 0, 1, 1, 2, -1))
    assert words_around([source, sentence([("No", "INTJ")], (0,))]) == {
        WORD: ["the", "dog", "ran", "no"],
        PREVIOUS: [EDGE, "the", "dog", EDGE],
        NEXT: ["dog", "ran", EDGE, EDGE],
        POS: ["DET", "NOUN", UNKNOWN, "INTJ"],
    }
    assert first_pieces(source) == [1, 2, 4]


def test_a_word_becomes_the_piece_that_looks_at_it():
    source = sentence([("a", ""), ("b", "")], (0, 1, 1, -1))
    target = Sentence("", (5, 6, 7), ("x", "y", "</s>"), (-1, -1, -1))
    attention = torch.tensor([[[0.9, 0, 0, 0.1], [0.1, 0.3, 0.3, 0.3], [0.6, 0.1, 0.1, 0.2]]])
    index = torch.tensor([[0, 1, 1, -1]])
    # Row 1 reads x and looks at b's two pieces; row 2 reads y and looks at a. Row 0 writes x, row 1 writes y.
    assert aligned(attention, index, [source], [target], reads=True) == ["y", "x"]
    assert aligned(attention, index, [source], [target], reads=False) == ["x", "y"]


def test_the_decoder_layer_that_aligns_best_is_taken(tiny_model):
    model = tiny_model("marian").model
    sources = [model.tokenize_source(text) for text in ("the small dog sleeps", "a red house") * 3]
    targets = [model.tokenize_target(text) for text in ("o cão dorme", "uma casa vermelha") * 3]
    encoder, decoder = gathered_states(model, sources, targets, tokens=100)
    assert list(encoder.labels) == [WORD, PREVIOUS, NEXT, POS, OUTPUT]
    assert {len(labels) for labels in encoder.labels.values()} == {encoder.count}
    assert set(encoder.labels[OUTPUT]) <= set(decoder.labels[OUTPUT])
