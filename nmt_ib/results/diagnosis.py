"""Results of a diagnosis."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from nmt_ib.results.result import Document, Lines, Result

if TYPE_CHECKING:
    import pandas

NOTEBOOK_SENTENCES = 50
DIGITS = 4  # decimals of every stored figure: far below the noise of any measure, far above rounding


@dataclass(frozen=True)
class WordDiagnosis:
    """One source word of a diagnosed sentence.

    Attributes:
        text: Characters `start` to `end` of the source as it was given.
        start: First character.
        end: One past the last character.
        contribution_bits: What the word contributes to the translation; signed, <= 0: not used.
        kept_bits: What the encoder's last layer keeps of the word: capacity of the noise on its pieces' embeddings that
            the layer tolerates, >= 0. Measured where a word of the sentence was dropped, else None.
        score: 0 to 1: how likely the word was dropped; comparable over sentences.
        dropped: Whether the score says so.
        lost_in: For a dropped word "encoder" where the encoder keeps fewer bits of it than of 95 % of the translated
            words of its kind, per piece, else "decoder"; None for other words.
        word_class: "open class", "closed class" or "punctuation".
        frequency: Band of its rank in the model's vocabulary.
        pos: Universal part of speech where a spacy pipeline gave one, else "".
        pieces: Number of its pieces.
    """

    text: str
    start: int
    end: int
    contribution_bits: float
    kept_bits: float | None
    score: float
    dropped: bool
    lost_in: str | None
    word_class: str
    frequency: str
    pos: str
    pieces: int


@dataclass(frozen=True)
class SentenceDiagnosis(Document):
    """One line of the input, diagnosed or skipped.

    Attributes:
        index: Number of the line, from 0.
        source: The line as it was given.
        translation: The model's translation, or the one that was forced.
        forced: Whether the translation was given.
        logprob_bits: log2 p(translation | source), None where skipped.
        tokens: Pieces of the translation, `</s>` included.
        words: The source's words; empty where skipped.
        skipped: Why the line could not be analysed, else None.
        contribution_matrix_bits: Words x tokens, where asked for.
    """

    index: int
    source: str
    translation: str
    forced: bool
    logprob_bits: float | None = None
    tokens: tuple[str, ...] = ()
    words: tuple[WordDiagnosis, ...] = ()
    skipped: str | None = None
    contribution_matrix_bits: tuple[tuple[float, ...], ...] | None = None

    @property
    def dropped(self) -> tuple[WordDiagnosis, ...]:
        """The words that were dropped."""
        return tuple(word for word in self.words if word.dropped)

    def to_dict(self) -> dict[str, Any]:
        """The object that `sentences.jsonl` holds; the matrix only where it was asked for."""
        fields = super().to_dict()
        if self.contribution_matrix_bits is None:
            del fields["contribution_matrix_bits"]
        return fields


@dataclass(frozen=True)
class Share:
    """How many words of one group were dropped."""

    name: str
    words: int
    dropped: int

    @property
    def share(self) -> float:
        """Dropped words as a share of all, 0 to 1."""
        return self.dropped / self.words if self.words else 0.0


@dataclass(frozen=True)
class DiagnosisSummary(Document):
    """Counts over a corpus.

    Attributes:
        sentences: Lines of the input.
        skipped: Lines that could not be analysed.
        words: Source words analysed.
        dropped: Words dropped.
        sentences_with_drops: Lines with at least one dropped word.
        lost_in_encoder: Dropped words of which the encoder's last layer keeps less than of others of their kind.
        lost_in_decoder: Dropped words that the encoder's last layer still holds.
        length_ratio: Target pieces over source pieces, special pieces left out.
        by_part_of_speech: Dropped words by class.
        by_frequency: By rank of the word in the model's vocabulary.
        by_position: By fifth of the sentence in which the word stands.
        by_length: By number of words in the sentence.
        worst: Indices of the lines with most dropped words; between equals the highest score decides.
        metrics: sacrebleu's scores with its signatures, where references were given.
    """

    sentences: int
    skipped: int
    words: int
    dropped: int
    sentences_with_drops: int
    lost_in_encoder: int
    lost_in_decoder: int
    length_ratio: float
    by_part_of_speech: tuple[Share, ...] = ()
    by_frequency: tuple[Share, ...] = ()
    by_position: tuple[Share, ...] = ()
    by_length: tuple[Share, ...] = ()
    worst: tuple[int, ...] = ()
    metrics: dict[str, Any] | None = None


@dataclass(frozen=True)
class Diagnosis(Result, Sequence[SentenceDiagnosis]):
    """A diagnosed corpus: a sequence of sentences that shows itself in a notebook.

    Attributes:
        sentences: One for each line; in memory, or read from the run directory when they are asked for.
        summary: Counts over the corpus.
        signature: What produced it; see `RunSignature`.
    """

    sentence_type: ClassVar = SentenceDiagnosis
    summary_type: ClassVar = DiagnosisSummary
    sentences: Lines[SentenceDiagnosis]
    summary: DiagnosisSummary
    signature: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.sentences)

    def __getitem__(self, index: Any) -> Any:
        """The sentence, or the slice of sentences."""
        return self.sentences[index]

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a source word, with the sentence's index and translation beside it.

        Returns:
            Columns `sentence`, `translation` and the fields of `WordDiagnosis`.
        """
        import pandas

        columns = ["sentence", "translation", *WordDiagnosis.__dataclass_fields__]
        rows = [
            {"sentence": sentence.index, "translation": sentence.translation, **asdict(word)}
            for sentence in self.sentences
            for word in sentence.words
        ]
        return pandas.DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str:
        """The first sentences with their dropped words marked, for a notebook."""
        shown = "".join(_marked(sentence) for sentence in islice(self.sentences, NOTEBOOK_SENTENCES))
        more = len(self) - NOTEBOOK_SENTENCES
        rest = f"<p>... and {more:,} more; see to_dataframe()</p>" if more > 0 else ""
        summary = self.summary
        return (
            f"<p><b>{summary.dropped:,} of {summary.words:,} source words dropped</b> in "
            f"{summary.sentences_with_drops:,} of {summary.sentences:,} sentences</p><ol start='0'>{shown}</ol>{rest}"
        )


def _marked(sentence: SentenceDiagnosis) -> str:
    """One list item: the source with dropped words struck out, and the translation; text is escaped."""
    parts, place = [], 0
    for word in sentence.words:
        parts.append(escape(sentence.source[place : word.start]))
        shown = escape(sentence.source[word.start : word.end])
        title = f"{word.contribution_bits:.1f} bits, score {word.score:.2f}"
        if word.dropped:
            title += f", lost in the {word.lost_in}"
            shown = f"<del style='background:#fdd'>{shown}</del>"
        parts.append(f"<span title='{title}'>{shown}</span>")
        place = word.end
    parts.append(escape(sentence.source[place:]))
    note = f"<i>skipped: {escape(sentence.skipped)}</i>" if sentence.skipped else escape(sentence.translation)
    return f"<li>{''.join(parts)}<br><small>{note}</small></li>"
