"""One-root trees: every tree of a short sentence, networkx, and random scores by the thousand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmt_ib.errors import RequestError
from nmt_ib.parsing.decoding import maximum_spanning_tree, maximum_spanning_trees


def is_tree(heads):
    """Whether every word climbs to the only root."""
    for word in range(len(heads)):
        for _ in heads:
            word = word if word == -1 else heads[word]
        if word != -1:
            return False
    return list(heads).count(-1) == min(len(heads), 1)


TREES = [
    np.array([heads for heads in product(range(-1, size), repeat=size) if is_tree(heads)], int) for size in range(7)
]


def sums(scores, trees):
    return np.array([scores[np.arange(len(scores)), tree + 1].sum() for tree in trees])


def test_there_are_as_many_trees_as_cayley_says():
    assert [len(trees) for trees in TREES] == [1, 1, 2, 9, 64, 625, 7776]  # n^(n - 1) for n >= 1


@st.composite
def matrices(draw):
    few = st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.0])  # ties, and edges that are ruled out
    size = draw(st.integers(0, 5))
    return draw(arrays(float, (size, size + 1), elements=draw(st.sampled_from([few, st.floats(-1e6, 1e6)]))))


@settings(max_examples=400, deadline=None)
@given(matrices())
def test_no_tree_is_better(scores):
    heads = maximum_spanning_tree(scores)
    assert is_tree(heads)
    every = sums(scores, TREES[len(scores)])
    np.testing.assert_allclose(sums(scores, [heads])[0], every.max(), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_no_tree_of_six_words_is_better(seed):
    scores = np.random.default_rng(seed).normal(size=(6, 7))
    np.testing.assert_array_equal(maximum_spanning_tree(scores), TREES[6][sums(scores, TREES[6]).argmax()])


def test_a_second_root_never_pays_and_small_differences_survive():
    """Every word would rather hang from the root, by far; what then decides is eleven orders of magnitude smaller."""
    scores = np.array([[1e6, 0.0, 2e-5], [1e6, 1e-5, 0.0]])
    np.testing.assert_array_equal(maximum_spanning_tree(scores), [1, -1])
    np.testing.assert_array_equal(maximum_spanning_tree(scores[::-1, [0, 2, 1]]), [-1, 0])


def test_ruled_out_edges_are_as_few_as_can_be():
    scores = np.full((4, 5), -np.inf)
    scores[2, 2] = scores[3, 1] = 0.0
    heads = maximum_spanning_tree(scores)
    assert is_tree(heads)
    assert (heads[2], heads[3]) == (1, 0)


@pytest.mark.parametrize("seed", range(20))
def test_networkx_finds_nothing_better(seed):
    networkx = pytest.importorskip("networkx", reason="needs networkx")
    generator = np.random.default_rng(seed)
    size = int(generator.integers(2, 13))
    scores = generator.normal(size=(size, size + 1))

    def best(root):
        graph = networkx.DiGraph()
        graph.add_edge(-1, root, weight=scores[root, 0])
        graph.add_weighted_edges_from((h, d, scores[d, h + 1]) for d in range(size) for h in range(size) if h != d)
        tree = networkx.maximum_spanning_arborescence(graph)
        return tree.size("weight"), [next(tree.predecessors(word)) for word in range(size)]

    np.testing.assert_array_equal(maximum_spanning_tree(scores), max(best(root) for root in range(size))[1])


def test_ten_thousand_random_matrices_make_trees_with_one_root():
    generator = np.random.default_rng(0)
    lengths = generator.integers(10, 41, size=10_000)
    for begin in range(0, 10_000, 100):
        batch = lengths[begin : begin + 100]
        heads = maximum_spanning_trees(generator.normal(size=(100, 40, 41)), batch)
        assert all(is_tree(row[:length].tolist()) for row, length in zip(heads, batch, strict=True))


@pytest.mark.parametrize("confidence", [0, 3, 20])
def test_a_batch_is_its_sentences(confidence):
    """Where scores are confident the best heads make a tree; behind the lengths and on the diagonal is rubbish."""
    generator = np.random.default_rng(1)
    lengths = generator.integers(0, 12, size=64)
    scores = generator.normal(size=(64, 11, 12))
    for sentence, length in enumerate(lengths):
        words = np.arange(length)
        scores[sentence, words, words] += confidence  # each word hangs from the one before
        scores[sentence, words, words + 1] = np.nan
        scores[sentence, length:] = scores[sentence, :, length + 1 :] = np.inf
    before = scores.copy()
    heads = maximum_spanning_trees(scores, lengths)
    np.testing.assert_array_equal(scores, before)
    for row, length, own in zip(heads, lengths, scores, strict=True):
        assert (row[length:] == -1).all()
        np.testing.assert_array_equal(row[:length], maximum_spanning_tree(own[:length, : length + 1]))


def test_float32_is_enough():
    scores = np.random.default_rng(2).normal(size=(9, 10)).astype(np.float32)
    np.testing.assert_array_equal(maximum_spanning_tree(scores), maximum_spanning_tree(scores.astype(float)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_must_be_numbers(bad):
    scores = np.zeros((3, 4))
    scores[1, 0] = bad
    with pytest.raises(RequestError, match="contain nan or inf"):
        maximum_spanning_tree(scores)
