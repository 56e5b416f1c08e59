"""The best dependency tree with exactly one root, after Chu and Liu (1965) and Edmonds (1967).

A trained parser seldom needs the algorithm: the best head of each word makes a tree already. Where it does not, time
grows with the square of the sentence's length.

References:
    Zmigrod, Vieira and Cotterell 2020, "Please Mind the Root: Decoding Arborescences for Dependency Parsing": why one
    root must be asked for, and another way to get it.
"""

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from nmt_ib.errors import RequestError

NEVER = complex(-np.inf)


def maximum_spanning_tree(scores: Float[np.ndarray, "W W+1"]) -> Int[np.ndarray, " W"]:
    """The tree of one sentence whose edges have the highest sum, among all trees with exactly one root.

    Args:
        scores: See `maximum_spanning_trees`.

    Returns:
        Heads counted from 0; -1 for the root.
    """
    return maximum_spanning_trees(scores[None], np.array([len(scores)]))[0]


def maximum_spanning_trees(
    scores: Float[np.ndarray, "B W W+1"], lengths: Int[np.ndarray, " B"]
) -> Int[np.ndarray, "B W"]:
    """The tree of each sentence whose edges have the highest sum, among all trees with exactly one root.

    Args:
        scores: Of an edge from each word (row) to each head: the root (column 0) or word h (column h + 1); -inf rules
            an edge out, unless no tree does without it. What stands behind a sentence's length is not read, nor is the
            score of a word as its own head.
        lengths: Number of words of each sentence.

    Returns:
        Heads counted from 0; -1 for the root, and behind a sentence's length.

    Raises:
        RequestError: A score is not a number, or infinitely high.
    """
    places = np.arange(scores.shape[2])
    inside = places <= lengths[:, None, None]
    read = inside & inside[..., 1:].mT & (places != places[1:, None])
    allowed = np.where(read, scores, -np.inf)
    if not (allowed < np.inf).all():
        raise RequestError(
            "the scores of a tree's edges hold nan or inf: expected numbers, or -inf to rule an edge out"
        )
    heads = allowed.argmax(2)  # the root where nothing is read
    for sentence in np.flatnonzero(~_are_trees(heads, lengths)):
        length = lengths[sentence]
        heads[sentence, :length] = _Graph(_ordered(allowed[sentence, :length, : length + 1])).heads()
    return heads - 1


def _are_trees(heads: Int[np.ndarray, "B W"], lengths: Int[np.ndarray, " B"]) -> Bool[np.ndarray, " B"]:
    """Whether the words (from 1) of each sentence hang from the root (0), exactly one of them directly."""
    roots = lengths - np.count_nonzero(heads, axis=1)
    above = np.pad(heads, ((0, 0), (1, 0)))
    for _ in range(heads.shape[1].bit_length()):  # head of the head of the head ...: twice as far in each step
        above = np.take_along_axis(above, above, axis=1)
    return (roots == np.minimum(lengths, 1)) & ~above.any(1)


def _ordered(scores: Float[np.ndarray, "W W+1"]) -> Complex[np.ndarray, "N N"]:
    """Weights whose sums put trees in order: first by their roots, then by edges ruled out, then by their scores.

    Every tree has a root, so the fewest roots are one. A fine for each root, taken off the scores, would be too small
    for large ones or swallow the digits of small ones. But the algorithm only adds, subtracts and compares, which works
    as well for pairs of a fine and a score: complex numbers, since numpy compares the real part before the imaginary.
    """
    size = len(scores)
    weights = np.full((size + 1, size + 1), NEVER)
    ruled_out = np.isneginf(scores)
    weights.real[1:] = -1.0 * ruled_out
    weights.real[1:, 0] -= size + 1
    weights.imag[1:] = np.where(ruled_out, 0, scores)
    np.fill_diagonal(weights, NEVER)
    return weights


class _Graph:
    """A graph whose circles of best edges become one node each, until the best edges make a tree.

    A node is a row and column; a circle's is that of one of its members, and no edge leads to the others any more.

    Args:
        weights: Of an edge from each node (row) to each head (column).
    """

    def __init__(self, weights: Complex[np.ndarray, "N N"]) -> None:
        self._weights = weights
        self._edges = np.arange(weights.size).reshape(weights.shape)  # the words' own edge that stands for each
        self._best = weights.argmax(1)
        self._node_of = np.arange(len(weights))
        self._settled = {0}
        self._circles: list[tuple[list[int], np.ndarray, np.ndarray]] = []

    def heads(self) -> Int[np.ndarray, " W"]:
        """Heads of the words in the best tree, both counted from 1; 0 is the root."""
        size = len(self._weights)
        for word in range(1, size):
            self._settle(word)
        chosen = self._edges[np.arange(size), self._best]
        for circle, inner, node_of in reversed(self._circles):  # each opens where an edge enters it
            edge = chosen[circle[0]]
            chosen[circle] = inner
            chosen[node_of[edge // size]] = edge
        return chosen[1:] % size

    def _settle(self, word: int) -> None:
        """Follows the best edges from a word to the root."""
        path: list[int] = []
        node = int(self._node_of[word])
        while node not in self._settled:
            if node in path:
                place = path.index(node)
                node = self._contract(path[place:])
                del path[place:]
            path.append(node)
            node = int(self._best[node])
        self._settled.update(path)

    def _contract(self, circle: list[int]) -> int:
        """Makes one node of a circle: an edge into it costs the edge of the member that it replaces."""
        node, nodes, members = circle[0], np.arange(len(self._weights)), np.array(circle)
        inner = members, self._best[members]
        self._circles.append((circle, self._edges[inner], self._node_of.copy()))
        gains = self._weights[members] - self._weights[inner][:, None]
        entered = gains.argmax(0)
        self._weights[node], self._edges[node] = gains[entered, nodes], self._edges[members[entered], nodes]
        left = members[self._weights[:, members].argmax(1)]
        self._weights[:, node], self._edges[:, node] = self._weights[nodes, left], self._edges[nodes, left]
        self._weights[:, members[1:]] = self._weights[node, node] = NEVER
        self._best[node] = self._weights[node].argmax()
        renamed = nodes.copy()
        renamed[members] = node
        self._best, self._node_of = renamed[self._best], renamed[self._node_of]
        return node
