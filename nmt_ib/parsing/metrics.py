"""Attachment scores as the official scorer of Universal Dependencies defines them for gold tokenisation."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from nmt_ib.types import Tree

# The UD relations other than those of function words and punctuation; unknown relations do not count as content.
CONTENT = {
    "acl", "advcl", "advmod", "amod", "appos", "ccomp", "compound", "conj", "csubj", "dep", "discourse", "dislocated",
    "expl", "fixed", "flat", "goeswith", "iobj", "list", "nmod", "nsubj", "nummod", "obj", "obl", "orphan", "parataxis",
    "reparandum", "root", "vocative", "xcomp",
}  # fmt: skip


@dataclass(frozen=True)
class ParsingScores:
    """Counts of correct attachments; the counts of a corpus are the sum of those of its sentences.

    Attributes:
        words: Number of words.
        correct_heads: Words with the correct head.
        correct_edges: Words with the correct head and relation, ignoring subtypes.
        content_words: Words whose gold relation is a content relation.
        predicted_content_words: Words whose predicted relation is a content relation.
        correct_content_edges: Content words with the correct head and relation.
    """

    words: int = 0
    correct_heads: int = 0
    correct_edges: int = 0
    content_words: int = 0
    predicted_content_words: int = 0
    correct_content_edges: int = 0

    def __add__(self, other: "ParsingScores") -> "ParsingScores":
        return ParsingScores(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def uas(self) -> float:
        """Unlabelled attachment score, the share of words with the correct head, 0 to 1; 0 if there are no words."""
        return _share(self.correct_heads, self.words)

    @property
    def las(self) -> float:
        """Labelled attachment score, the share of words with the correct head and relation, 0 to 1."""
        return _share(self.correct_edges, self.words)

    @property
    def clas(self) -> float:
        """Content-word labelled attachment score, F1, 0 to 1: function words and punctuation are left out."""
        return _share(2 * self.correct_content_edges, self.content_words + self.predicted_content_words)


def score_tree(gold: Tree, heads: Sequence[int], relations: Sequence[str]) -> ParsingScores:
    """Counts of one sentence.

    Args:
        gold: The gold tree.
        heads: Predicted head of each word, counted from 0; -1 for the root.
        relations: Predicted relation of each word.

    Returns:
        The counts.
    """
    correct_heads = [head == truth for head, truth in zip(heads, gold.heads, strict=True)]
    predicted, truths = ([universal(relation) for relation in names] for names in (relations, gold.relations))
    correct_edges = [
        head and guess == truth for head, guess, truth in zip(correct_heads, predicted, truths, strict=True)
    ]
    content = [truth in CONTENT for truth in truths]
    return ParsingScores(
        words=len(gold),
        correct_heads=sum(correct_heads),
        correct_edges=sum(correct_edges),
        content_words=sum(content),
        predicted_content_words=sum(guess in CONTENT for guess in predicted),
        correct_content_edges=sum(correct and counts for correct, counts in zip(correct_edges, content, strict=True)),
    )


def universal(relation: str) -> str:
    """The universal relation, without its subtype: `nsubj` for `nsubj:pass`."""
    return relation.partition(":")[0]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
