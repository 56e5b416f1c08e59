"""What a bottleneck's tags stand for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class TagUse:
    """One discrete tag, as a linguist reads it.

    Attributes:
        tag: Its number.
        words: How many words have it.
        share: Their share of all words.
        forms: Its most frequent word forms, each with its share of the tag's words.
        upos: Its parts of speech, the most frequent first, each with its share of the tag's words.
    """

    tag: int
    words: int
    share: float
    forms: tuple[tuple[str, float], ...]
    upos: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class TagTable(Sequence[TagUse]):
    """All tags that a treebank uses, the most frequent first, against its parts of speech.

    Attributes:
        rows: The tags.
        entropy_bits: H(T), what a word's tag costs without its prior.
        homogeneity: Share of H(part of speech) that the tag tells, 0 to 1.
        completeness: Share of H(T) that the part of speech tells.
        v_measure: Harmonic mean of both.
    """

    rows: tuple[TagUse, ...]
    entropy_bits: float
    homogeneity: float
    completeness: float
    v_measure: float

    def __len__(self) -> int:
        """Number of tags in use."""
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """The tag, or the slice of tags."""
        return self.rows[index]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a tag, its forms and parts of speech in words."""
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
        """The table as text, columns apart by tabs."""
        table = self.to_dataframe()
        return "".join("\t".join(map(str, row)) + "\n" for row in [tuple(table), *table.itertuples(index=False)])

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)


@dataclass(frozen=True)
class Distinctions:
    """How well parts of speech can still be told apart from tags.

    Attributes:
        recall: Part of speech -> share of its words that a linear classifier finds in a sample of their tags.
        accuracy: Share of all words.
        confusions: Pairs of parts of speech, gold and found, each with its share of the gold one's words; the
            largest first.
    """

    recall: dict[str, float]
    accuracy: float
    confusions: tuple[tuple[str, str, float], ...]
