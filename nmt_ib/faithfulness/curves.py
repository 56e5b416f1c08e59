"""Degradation curves: the probability of an answer while words are removed in the order of their scores."""

from dataclasses import dataclass

from nmt_ib.types import Sentence, Target

STEPS = 10  # levels of a curve; a sentence of fewer words has one level per word


@dataclass(frozen=True)
class RankedAnswer:
    """One answer of a model, a label or a target token, and the scores of the words for it.

    Attributes:
        source: The sentence, with at least one word.
        target: Its translation, or the number of its label.
        scores: One per word; higher: more important. Ties are broken in favour of the earlier word.
        token: Index of the target token that is the answer; 0 for a label.
    """

    source: Sentence
    target: Target
    scores: tuple[float, ...]
    token: int = 0

    @property
    def ranking(self) -> list[int]:
        """Indices of the words, most important first."""
        return sorted(range(len(self.scores)), key=lambda word: (-self.scores[word], word))


@dataclass(frozen=True)
class DegradationCurve:
    r"""Probability of one answer while more and more words are removed.

    .. math:: \text{comprehensiveness}_k = p(y | x) - p(y | x \setminus \text{top } k), \quad
        \text{sufficiency}_k = p(y | x) - p(y | \text{top } k)

    Attributes:
        removed: Number of words removed at each level, from 0 to all of them.
        morf: p(y) at each level, 0 to 1, when the most relevant words are removed first (MoRF).
        lerf: p(y) at each level, 0 to 1, when the least relevant words are removed first (LeRF).

    References:
        Schulz et al. (2020), "Restricting the Flow: Information Bottlenecks for Attribution", section 4.4 (area);
        DeYoung et al. (2020), "ERASER: A Benchmark to Evaluate Rationalized NLP Models", section 4.2.
    """

    removed: tuple[int, ...]
    morf: tuple[float, ...]
    lerf: tuple[float, ...]

    @property
    def range(self) -> float:
        """p(y) of the whole sentence minus p(y) without any of its words."""
        return self.morf[0] - self.morf[-1]

    @property
    def area(self) -> float:
        """Mean of LeRF minus mean of MoRF over the levels; > 0: the ranking is better than its reverse."""
        return (sum(self.lerf) - sum(self.morf)) / len(self.removed)

    @property
    def comprehensiveness(self) -> tuple[float, ...]:
        """Drop of p(y) at each level when the top words are removed; high for a faithful ranking."""
        return tuple(self.morf[0] - value for value in self.morf)

    @property
    def sufficiency(self) -> tuple[float, ...]:
        """Drop of p(y) at each level when *only* as many top words are left; low for a faithful ranking."""
        return tuple(self.lerf[0] - value for value in reversed(self.lerf))

    @property
    def aopc_comprehensiveness(self) -> float:
        """Mean of `comprehensiveness` over the levels, both ends included."""
        return sum(self.comprehensiveness) / len(self.removed)

    @property
    def aopc_sufficiency(self) -> float:
        """Mean of `sufficiency` over the levels, both ends included."""
        return sum(self.sufficiency) / len(self.removed)


def removal_levels(words: int) -> tuple[int, ...]:
    """Number of words removed at each level of a curve.

    Args:
        words: Number of words of the sentence.

    Returns:
        Ascending from 0 to `words`; with k also `words` - k, so that the words that MoRF has left at one level are
        those that LeRF has removed at another.
    """
    if words <= STEPS:
        return tuple(range(words + 1))
    lower = {int(words * step / STEPS + 0.5) for step in range(STEPS // 2 + 1)}
    return tuple(sorted(lower | {words - level for level in lower}))
