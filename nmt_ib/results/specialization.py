"""What the tags of a bottleneck stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmt_ib.results.result import Document

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class TagUse:
    """One discrete tag and the words that have it.

    Attributes:
        tag: Index of the tag.
        words: Number of words with this tag.
        share: Their share of all words, 0 to 1.
        forms: The most frequent word forms, each with its share of the tag's words.
        upos: Parts of speech, the most frequent first, each with its share of the tag's words.
    """

    tag: int
    words: int
    share: float
    forms: tuple[tuple[str, float], ...]
    upos: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class TagTable(Document, Sequence[TagUse]):
    """All tags that occur in a treebank, the most frequent first, compared with its parts of speech.

    Attributes:
        rows: The tags.
        entropy_bits: H(T), entropy of a word's tag.
        homogeneity: I(T; part of speech) / H(part of speech), 0 to 1.
        completeness: I(T; part of speech) / H(T), 0 to 1.
        v_measure: Harmonic mean of homogeneity and completeness.
    """

    rows: tuple[TagUse, ...]
    entropy_bits: float
    homogeneity: float
    completeness: float
    v_measure: float

    def __len__(self) -> int:
        """Number of tags that occur."""
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """The tag, or the slice of tags."""
        return self.rows[index]

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row for each tag, with its forms and parts of speech as text."""
        import pandas

        return pandas.DataFrame(
            [
                {
                    "tag": row.tag,
                    "words": row.words,
                    "share": f"{row.share:.1%}",
                    "parts of speech": " ".join(f"{name} {share:.0%}" for name, share in row.upos),
                    "most frequent words": " ".join(form for form, _ in row.forms),
                }
                for row in self.rows
            ]
        )

    def to_tsv(self) -> str:
        """The data frame as tab-separated values."""
        table = self.to_dataframe()
        return "".join("\t".join(map(str, row)) + "\n" for row in [tuple(table), *table.itertuples(index=False)])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)


@dataclass(frozen=True)
class PosProbe(Document):
    """How well a linear classifier predicts parts of speech from tags.

    Attributes:
        recall: Part of speech -> share of its words that are classified correctly.
        accuracy: Share of all words that are classified correctly.
        confusions: Pairs of parts of speech, gold and predicted, each with its share of the gold one's words; the
            largest first.
    """

    recall: dict[str, float]
    accuracy: float
    confusions: tuple[tuple[str, str, float], ...]
