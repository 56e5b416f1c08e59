"""What an attribution method returns for one sentence."""

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
    """What each piece of one sentence is worth to a model, by one method.

    Attributes:
        text: The sentence as it was given.
        method: Name of the method.
        part: Part of the model that was looked at: "encoder", "decoder", "pooled" or "logits".
        layer: Layer of it, where it has layers; 0: the embeddings.
        unit: Unit of `scores` and `matrix`: "bits", or "" where there is none.
        tokens: The pieces, special ones included.
        special: For each piece whether it is a special one.
        word_index: For each piece the index of its word, -1 for special ones.
        words: The words' characters.
        scores: For each piece what it is worth; higher: worth more. Special pieces count 0 where a method leaves them
            alone.
        bits: The same in bits, where the method has bits.
        sigma: Largest noise that the layer tolerates, in units of the input embedding; 0 where a piece was left alone.
        target: What was explained: the translation, or the label.
        target_tokens: Its pieces; the label alone for a classifier.
        matrix: Words x target tokens, where the method has one.
        prefix_matrix: Target tokens already written x target tokens: entry (j, t) is what token j is worth to t; 0
            where j >= t.
        passes: Network passes that were spent on this sentence: a forward and a backward pass count one each.
        converged: Whether the search came to rest; None where the method does not search.
        details: Further figures of the method, by name.
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
        """Method, place and unit in words: "sigma, decoder layer 2, bits"."""
        named = "" if self.part == "encoder" else f"{self.part} "
        place = self.part if self.part in ("pooled", "logits") else f"{named}layer {self.layer}"
        return ", ".join(filter(None, (self.method, place, self.unit)))

    @property
    def matrix_bits(self) -> Matrix | None:
        """Words x target tokens in bits; None where the method has no matrix, or none in bits."""
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
        """One row a piece.

        Returns:
            Columns `token`, `special`, `word`, `score`, and `bits` and `sigma` where there are such.
        """
        import pandas

        columns = {"token": self.tokens, "special": self.special, "word": self.word_index, "score": self.scores}
        columns |= {name: value for name in ("bits", "sigma") if (value := getattr(self, name)) is not None}
        return pandas.DataFrame(columns)

    def matrix_to_dataframe(self) -> "pandas.DataFrame":
        """Words as rows, target tokens as columns; empty where the method has no matrix."""
        import pandas

        return pandas.DataFrame(
            self.matrix or [],
            index=list(self.words) if self.matrix else [],
            columns=list(self.target_tokens) if self.matrix else [],
        )

    def _repr_html_(self) -> str:
        """The words, the more they are worth the darker, for a notebook; text is escaped."""
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
