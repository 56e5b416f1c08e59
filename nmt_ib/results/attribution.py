"""Result of an attribution method for one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from nmt_ib.results.result import Document, Lines, Result

if TYPE_CHECKING:
    import pandas

NOTEBOOK_SENTENCES = 50
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Attribution(Document):
    """Scores of the pieces of one sentence by one attribution method.

    Attributes:
        text: The sentence as given.
        method: Name of the method.
        part: Part of the model that is analysed: "encoder", "decoder", "pooled" or "logits".
        layer: Layer of that part; 0: the embeddings.
        unit: Unit of `scores` and `matrix`: "bits", or "" for none.
        tokens: The pieces, special ones included.
        special: Whether each piece is a special one.
        word_index: Index of each piece's word, -1 for special pieces.
        words: The words.
        scores: Score of each piece; higher: more important. 0 for special pieces if the method does not score them.
        bits: Scores in bits, if the method has them.
        sigma: Largest noise on each piece that the state tolerates, in units of the embeddings; 0: no noise.
        target: The translation or label that is explained.
        target_tokens: Its pieces; for a classifier the label.
        matrix: Scores of words x target tokens, if the method has them.
        prefix_matrix: Scores of tokens of the target prefix x target tokens: entry (j, t) is the score of token j for
            token t; 0 for j >= t.
        passes: Number of network passes spent on this sentence, forward and backward passes counted separately.
        converged: Whether the search converged; None: the method does not search.
        details: Further numbers of the method, by name.
        word_spans: First character of each word in `text`, and one past its last.
        skipped: Why the sentence could not be analysed, else None.
    """

    text: str
    method: str
    layer: int
    unit: str
    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    word_index: tuple[int, ...]
    words: tuple[str, ...]
    scores: tuple[float, ...]
    bits: tuple[float, ...] | None = None
    sigma: tuple[float, ...] | None = None
    target: str = ""
    target_tokens: tuple[str, ...] = ()
    matrix: Matrix | None = None
    prefix_matrix: Matrix | None = None
    passes: int = 0
    converged: bool | None = None
    details: dict[str, float] = field(default_factory=dict)
    part: str = "encoder"
    word_spans: tuple[tuple[int, int], ...] = ()
    skipped: str | None = None

    @property
    def heading(self) -> str:
        """Method, part, layer and unit, for example "sigma, decoder layer 2, bits"."""
        named = "" if self.part == "encoder" else f"{self.part} "
        place = self.part if self.part in ("pooled", "logits") else f"{named}layer {self.layer}"
        return ", ".join(filter(None, (self.method, place, self.unit)))

    @property
    def matrix_bits(self) -> Matrix | None:
        """Words x target tokens in bits; None if the method has no matrix in bits."""
        return self.matrix if self.unit == "bits" else None

    @property
    def word_scores(self) -> tuple[float, ...]:
        """Sum of the scores of each word's pieces."""
        sums = [0.0] * len(self.words)
        for word, score in zip(self.word_index, self.scores, strict=True):
            if word >= 0:
                sums[word] += score
        return tuple(sums)

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row per piece.

        Returns:
            Columns `token`, `special`, `word`, `score`, and if available `bits` and `sigma`.
        """
        import pandas

        columns = {"token": self.tokens, "special": self.special, "word": self.word_index, "score": self.scores}
        columns |= {name: value for name in ("bits", "sigma") if (value := getattr(self, name)) is not None}
        return pandas.DataFrame(columns)

    def matrix_to_dataframe(self) -> "pandas.DataFrame":
        """Words as rows, target tokens as columns; empty if the method has no matrix."""
        import pandas

        return pandas.DataFrame(
            self.matrix or [],
            index=list(self.words) if self.matrix else [],
            columns=list(self.target_tokens) if self.matrix else [],
        )

    def _repr_html_(self) -> str:
        """The pieces, shaded by their scores, for a notebook; text is escaped."""
        head = f"<b>{escape(self.heading)}</b>"
        highest = max(self.scores, default=0)
        shown = "".join(_shaded(*piece, highest) for piece in zip(self.tokens, self.scores, strict=True))
        target = f"<br><small>{escape(self.target)}</small>" if self.target else ""
        return f"<p>{head}<br>{shown}{target}</p>"


@dataclass(frozen=True)
class AttributionSummary(Document):
    """What the attributions of a corpus came to.

    Attributes:
        method: Name of the method.
        sentences: Number of sentences.
        passes: Network passes, in sum.
        converged: Share of sentences whose search converged; None where the method does not search.
    """

    method: str
    sentences: int
    passes: int
    converged: float | None


@dataclass(frozen=True)
class Attributions(Result, Sequence[Attribution]):
    """The attributions of a corpus by one method: a sequence that shows itself in a notebook.

    Attributes:
        sentences: One for each sentence; in memory, or read from the run directory when they are asked for.
        summary: What they came to.
        signature: What produced them; see `RunSignature`.
    """

    sentence_type: ClassVar = Attribution
    summary_type: ClassVar = AttributionSummary
    sentences: Lines[Attribution]
    summary: AttributionSummary
    signature: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.sentences)

    def __getitem__(self, index: Any) -> Any:
        """The attribution, or the slice of attributions."""
        return self.sentences[index]

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a piece.

        Returns:
            Columns `sentence`, and those of `Attribution.to_dataframe`.
        """
        import pandas

        frames = [one.to_dataframe().assign(sentence=index) for index, one in enumerate(self.sentences)]
        found = pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame({"sentence": []})
        return found[["sentence", *(name for name in found.columns if name != "sentence")]]

    def _repr_html_(self) -> str:
        """The first sentences, for a notebook; text is escaped."""
        return "".join(one._repr_html_() for one in islice(self.sentences, NOTEBOOK_SENTENCES))  # noqa: SLF001


def _shaded(token: str, score: float, highest: float) -> str:
    share = max(0.0, min(1.0, score / highest)) if highest > 0 else 0.0
    style = f"background:rgba(20,110,180,{0.75 * share:.2f});padding:1px 2px"
    return f"<span style='{style}' title='{score:.4g}'>{escape(token)}</span> "
