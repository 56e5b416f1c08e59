"""Scores of parsers, as the official scorer of Universal Dependencies defines them where the words are given."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from nmt_ib.types import Tree

# All of UD but function words and punctuation; a relation that UD does not know is no content, either.
CONTENT = {
    "acl", "advcl", "advmod", "amod", "appos", "ccomp", "compound", "conj", "csubj", "dep", "discourse", "dislocated",
    "expl", "fixed", "flat", "goeswith", "iobj", "list", "nmod", "nsubj", "nummod", "obj", "obl", "orphan", "parataxis",
    "reparandum", "root", "vocative", "xcomp",
}  # fmt: skip


@dataclass(frozen=True)
class ParsingScores:
    """How many words hang where they should; sums of counts are counts of a corpus.

    Attributes:
        words: Number of words.
        right_heads: Words with the right head.
        right_edges: Words with the right head and relation, subtypes left out.
        content_words: Words whose gold relation is one of content.
        content_predictions: Words whose predicted relation is one of content.
        right_content: Content words with the right head and relation.
    """

    words: int = 0
    right_heads: int = 0
    right_edges: int = 0
    content_words: int = 0
    content_predictions: int = 0
    right_content: int = 0

    def __add__(self, other: "ParsingScores") -> "ParsingScores":
        return ParsingScores(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def uas(self) -> float:
        """Unlabelled attachment score, the share of words with the right head, 0 to 1; 0 if there are no words."""
        return _share(self.right_heads, self.words)

    @property
    def las(self) -> float:
        """Labelled attachment score, the share of words with the right head and relation, 0 to 1."""
        return _share(self.right_edges, self.words)

    @property
    def clas(self) -> float:
        """Labelled attachment score of content words, F1, 0 to 1: function words and punctuation do not count."""
        return _share(2 * self.right_content, self.content_words + self.content_predictions)


def score_tree(gold: Tree, heads: Sequence[int], relations: Sequence[str]) -> ParsingScores:
    """Counts of one sentence.

    Args:
        gold: The truth.
        heads: Predicted head of each word, counted from 0; -1 for the root.
        relations: Predicted relation of each word.

    Returns:
        The counts.
    """
    right_heads = [head == truth for head, truth in zip(heads, gold.heads, strict=True)]
    guesses, truths = ([universal(relation) for relation in all_] for all_ in (relations, gold.relations))
    right_edges = [head and guess == truth for head, guess, truth in zip(right_heads, guesses, truths, strict=True)]
    content = [truth in CONTENT for truth in truths]
    return ParsingScores(
        words=len(gold),
        right_heads=sum(right_heads),
        right_edges=sum(right_edges),
        content_words=sum(content),
        content_predictions=sum(guess in CONTENT for guess in guesses),
        right_content=sum(right and counts for right, counts in zip(right_edges, content, strict=True)),
    )


def universal(relation: str) -> str:
    """A relation without its subtype: `nsubj` for `nsubj:pass`."""
    return relation.partition(":")[0]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
