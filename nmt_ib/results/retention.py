"""Results of a retention study."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from nmt_ib.results.result import Document, Lines, Result

if TYPE_CHECKING:
    import pandas

NOTEBOOK_SENTENCES = 10
UNKNOWN = "–"  # the interval of a single sentence, the noise of a single search
FORGOTTEN = 0.5  # of what the first layer keeps
LEGEND = "Bits, summed over a word's pieces; colour: share of what layer 1 keeps of the word."


@dataclass(frozen=True)
class WordRetention:
    """Bits of one source word that each layer keeps.

    Attributes:
        text: Characters `start` to `end` of the source as it was given.
        start: First character.
        end: One past the last character.
        word_class: "open class", "closed class" or "punctuation".
        frequency: Band of its rank in the model's vocabulary.
        pos: Part of speech where a spacy pipeline gave one, else "".
        bits: For each measured layer the bits that its state keeps; >= 0.
        noise_bits: For each layer the standard deviation of `bits` over repetitions with other noise; 0 for one search.
    """

    text: str
    start: int
    end: int
    word_class: str
    frequency: str
    pos: str
    bits: tuple[float, ...]
    noise_bits: tuple[float, ...]

    @property
    def kept(self) -> tuple[float, ...]:
        """For each layer its bits as a share of those of the first layer; >= 0, above 1 where it keeps more."""
        return tuple(bits / max(self.bits[0], 1e-9) for bits in self.bits)

    def forgotten_at(self, layers: Sequence[str]) -> str:
        """The first layer that keeps less than half of the bits of the first layer.

        Args:
            layers: Names of the layers that `bits` are of.

        Returns:
            One of them; "" where every layer keeps the word.
        """
        return next((name for name, share in zip(layers, self.kept, strict=True) if share < FORGOTTEN), "")


@dataclass(frozen=True)
class SentenceRetention(Document):
    """One line of the input.

    Attributes:
        index: Number of the line, from 0.
        source: The line as it was given.
        translation: The translation that the decoder was forced to write, "" where there is no decoder.
        words: The words; empty where skipped.
        skipped: Why the line could not be analysed, else None.
    """

    index: int
    source: str
    translation: str = ""
    words: tuple[WordRetention, ...] = ()
    skipped: str | None = None


@dataclass(frozen=True)
class LayerRetention:
    """Bits kept by one layer, over a corpus.

    Attributes:
        name: "encoder 1", ..., "decoder 1", ...
        bits: Mean bits a word.
        interval: 95 % interval of that, by resampling sentences.
        noise_bits: Mean over words of the standard deviation over repetitions with other noise.
        kept: What the layer keeps of a word as a share of what the first layer keeps, mean over words.
        concentration: 0: all words of a sentence alike, 1: all in one word; 1 - entropy / log of the number of words.
        forgotten: Share of words of which it, or a layer before it in its stack, keeps less than half of what the
            first layer keeps.
        kept_by_class: `kept` for each class of words.
        kept_by_frequency: `kept` for each band of frequency.
        kept_by_part_of_speech: `kept` for each part of speech, where a spacy pipeline gave them.
        against_encoder: Of a decoder's layer: bits a word more than the encoder's last layer keeps, with the ends of
            their 95 % interval.
    """

    name: str
    bits: float
    interval: tuple[float, float]
    noise_bits: float
    kept: float
    concentration: float
    forgotten: float
    kept_by_class: dict[str, float]
    kept_by_frequency: dict[str, float]
    kept_by_part_of_speech: dict[str, float]
    against_encoder: tuple[float, float, float] | None = None

    def shown(self) -> dict[str, str]:
        """Heading -> figure as a table shows it; a decoder's layer has one more, which comes last."""
        figures = {
            "layer": self.name,
            "bits a word": f"{self.bits:.0f}",
            "95 % interval": _interval(*self.interval),
            "noise": f"{self.noise_bits:.0f}" if self.noise_bits else UNKNOWN,
            "kept": f"{self.kept:.1%}",
            "forgotten": f"{self.forgotten:.1%}",
            "concentration": f"{self.concentration:.4f}",
        }
        if self.against_encoder is None:
            return figures
        more, low, high = self.against_encoder
        return figures | {"against the encoder's last": f"{more:+z.0f} {_interval(low, high, '+z.0f')}"}


def _interval(low: float, high: float, form: str = ".0f") -> str:
    return f"[{low:{form}}, {high:{form}}]" if low < high else UNKNOWN


@dataclass(frozen=True)
class RetentionSummary(Document):
    """Bits kept by each layer of a model, over a corpus.

    Attributes:
        model: What the user called the model.
        sentences: Lines of the input.
        skipped: Lines that could not be analysed.
        words: Words analysed.
        layers: In the order of the model: encoder, then decoder.
    """

    model: str
    sentences: int
    skipped: int
    words: int
    layers: tuple[LayerRetention, ...]


@dataclass(frozen=True)
class Retention(Result, Sequence[SentenceRetention]):
    """A measured corpus: a sequence of sentences that shows itself in a notebook.

    Attributes:
        sentences: One for each line.
        summary: What they show together.
        signature: What produced them; see `RunSignature`.
        compared: The same sentences measured in other models.
    """

    sentence_type: ClassVar = SentenceRetention
    summary_type: ClassVar = RetentionSummary
    sentences: Lines[SentenceRetention]
    summary: RetentionSummary
    signature: dict[str, Any] = field(default_factory=dict)
    compared: tuple["Retention", ...] = ()

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.sentences)

    def __getitem__(self, index: Any) -> Any:
        """The sentence, or the slice of sentences."""
        return self.sentences[index]

    def to_dataframe(self) -> "pandas.DataFrame":
        """One row a word and layer.

        Returns:
            Columns `sentence`, `word`, `word_class`, `frequency`, `pos`, `forgotten_at`, `layer`, `bits`, `noise_bits`.
        """
        import pandas

        names = [layer.name for layer in self.summary.layers]
        about = ["word_class", "frequency", "pos", "forgotten_at"]
        columns = ["sentence", "word", *about, "layer", "bits", "noise_bits"]
        rows = [
            (sentence.index, word.text, word.word_class, word.frequency, word.pos, word.forgotten_at(names), *figures)
            for sentence in self.sentences
            for word in sentence.words
            for figures in zip(names, word.bits, word.noise_bits, strict=True)
        ]
        return pandas.DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str:
        """The layers, and the first sentences with a row for each layer, for a notebook; text is escaped."""
        rows = [layer.shown() for layer in self.summary.layers]
        heads = list(rows[-1]) if rows else []
        table = _line("th", heads) + "".join(_line("td", [row.get(name, "") for name in heads]) for row in rows)
        names = [layer.name for layer in self.summary.layers]
        shown = "".join(_heat_map(sentence, names) for sentence in islice(self.sentences, NOTEBOOK_SENTENCES))
        return f"<table>{table}</table><p>{LEGEND}</p>{shown}"


def _line(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def _heat_map(sentence: SentenceRetention, names: Sequence[str]) -> str:
    rows = [_line("th", ["", *(escape(word.text) for word in sentence.words)])]
    for layer, name in enumerate(names):
        cells = "".join(
            f"<td style='background:rgba(20,110,180,{0.8 * min(word.kept[layer], 1):.2f})'>{word.bits[layer]:.0f}</td>"
            for word in sentence.words
        )
        rows.append(f"<tr><td>{name}</td>{cells}</tr>")
    return f"<table>{''.join(rows)}</table>"
