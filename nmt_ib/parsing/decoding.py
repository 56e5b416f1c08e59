"""The maximum spanning tree with exactly one root, by the Chu-Liu-Edmonds algorithm (1965, 1967).

With a trained parser the algorithm is rarely needed: the best heads of the words usually form a tree already. Where
they do not, time is quadratic in sentence length.

References:
    Zmigrod, Vieira and Cotterell (2020), "Please Mind the Root: Decoding Arborescences for Dependency Parsing": why the
    single root needs a constraint, and another way to impose it.
"""

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from nmt_ib.errors import RequestError

IMPOSSIBLE = complex(-np.inf)


def maximum_spanning_tree(scores: Float[np.ndarray, "W W+1"]) -> Int[np.ndarray, " W"]:
    """The highest-scoring tree of one sentence among all trees with exactly one root.

    Args:
        scores: See `maximum_spanning_trees`.

    Returns:
        Heads counted from 0; -1 for the root.
    """
    return maximum_spanning_trees(scores[None], np.array([len(scores)]))[0]


def maximum_spanning_trees(
    scores: Float[np.ndarray, "B W W+1"], lengths: Int[np.ndarray, " B"]
) -> Int[np.ndarray, "B W"]:
    """The highest-scoring tree of each sentence among all trees with exactly one root.

    Args:
        scores: Score of the edge from each word (row) to each head: the root (column 0) or word h (column h + 1); -inf
            excludes an edge unless every tree needs one. Entries beyond a sentence's length and on the diagonal (a word
            as its own head) are ignored.
        lengths: Number of words of each sentence.

    Returns:
        Heads counted from 0; -1 for the root, and beyond a sentence's length.

    Raises:
        RequestError: A score is nan or inf.
    """
    places = np.arange(scores.shape[2])
    inside = places <= lengths[:, None, None]
    read = inside & inside[..., 1:].mT & (places != places[1:, None])
    allowed = np.where(read, scores, -np.inf)
    if not (allowed < np.inf).all():
        raise RequestError("edge scores contain nan or inf: expected finite numbers, or -inf to exclude an edge")
    heads = allowed.argmax(2)  # 0, the root, in rows without an edge
    for sentence in np.flatnonzero(~_are_trees(heads, lengths)):
        length = lengths[sentence]
        heads[sentence, :length] = _Graph(_lexicographic(allowed[sentence, :length, : length + 1])).heads()
    return heads - 1


def _are_trees(heads: Int[np.ndarray, "B W"], lengths: Int[np.ndarray, " B"]) -> Bool[np.ndarray, " B"]:
    """Whether each sentence is a tree: all words (from 1) descend from the root (0), exactly one of them directly."""
    roots = lengths - np.count_nonzero(heads, axis=1)
    above = np.pad(heads, ((0, 0), (1, 0)))
    for _ in range(heads.shape[1].bit_length()):  # pointer doubling: the head of the head of ...
        above = np.take_along_axis(above, above, axis=1)
    return (roots == np.minimum(lengths, 1)) & ~above.any(1)


def _lexicographic(scores: Float[np.ndarray, "W W+1"]) -> Complex[np.ndarray, "N N"]:
    """Weights whose sums order trees lexicographically: by number of roots, then of excluded edges, then by score.

    Every tree has at least one root, so the minimum number of roots is one. A finite penalty subtracted from the scores
    would be too small for large scores, or would cost the precision of small ones. But the algorithm only adds,
    subtracts and compares, which also works for pairs (penalty, score): complex numbers, since numpy compares the real
    part before the imaginary part.
    """
    size = len(scores)
    weights = np.full((size + 1, size + 1), IMPOSSIBLE)
    excluded = np.isneginf(scores)
    weights.real[1:] = -1.0 * excluded
    weights.real[1:, 0] -= size + 1
    weights.imag[1:] = np.where(excluded, 0, scores)
    np.fill_diagonal(weights, IMPOSSIBLE)
    return weights


class _Graph:
    """A graph whose cycles of best edges are contracted to one node each until the best edges form a tree.

    A node is a row and a column; a contracted cycle keeps those of one of its members, the others become unreachable.

    Args:
        weights: Weight of the edge from each node (row) to each head (column).
    """

    def __init__(self, weights: Complex[np.ndarray, "N N"]) -> None:
        self._weights = weights
        self._edges = np.arange(weights.size).reshape(weights.shape)  # index of the original edge behind each edge
        self._best = weights.argmax(1)
        self._node_of = np.arange(len(weights))
        self._done = {0}
        self._cycles: list[tuple[list[int], np.ndarray, np.ndarray]] = []

    def heads(self) -> Int[np.ndarray, " W"]:
        """Heads of the words in the best tree, words counted from 1; 0 is the root."""
        size = len(self._weights)
        for word in range(1, size):
            self._resolve(word)
        chosen = self._edges[np.arange(size), self._best]
        for cycle, inner, node_of in reversed(self._cycles):  # each is broken where an edge enters it
            edge = chosen[cycle[0]]
            chosen[cycle] = inner
            chosen[node_of[edge // size]] = edge
        return chosen[1:] % size

    def _resolve(self, word: int) -> None:
        """Follows the best edges from a word to the root."""
        path: list[int] = []
        node = int(self._node_of[word])
        while node not in self._done:
            if node in path:
                place = path.index(node)
                node = self._contract(path[place:])
                del path[place:]
            path.append(node)
            node = int(self._best[node])
        self._done.update(path)

    def _contract(self, cycle: list[int]) -> int:
        """Contracts a cycle to one node: the weight of an edge into it is reduced by that of the edge it replaces."""
        node, nodes, members = cycle[0], np.arange(len(self._weights)), np.array(cycle)
        inner = members, self._best[members]
        self._cycles.append((cycle, self._edges[inner], self._node_of.copy()))
        gains = self._weights[members] - self._weights[inner][:, None]
        entered = gains.argmax(0)
        self._weights[node], self._edges[node] = gains[entered, nodes], self._edges[members[entered], nodes]
        left = members[self._weights[:, members].argmax(1)]
        self._weights[:, node], self._edges[:, node] = self._weights[nodes, left], self._edges[nodes, left]
        self._weights[:, members[1:]] = self._weights[node, node] = IMPOSSIBLE
        self._best[node] = self._weights[node].argmax()
        renamed = nodes.copy()
        renamed[members] = node
        self._best, self._node_of = renamed[self._best], renamed[self._node_of]
        return node
