"""What `nmt-ib diagnose` prints: a table of the sentences with most dropped words."""

from typing import TYPE_CHECKING

from rich.box import HORIZONTALS
from rich.table import Table
from rich.text import Text

from nmt_ib.cli.terminal import out, printable

if TYPE_CHECKING:
    from nmt_ib.results.diagnosis import Diagnosis, SentenceDiagnosis, WordDiagnosis

TABLE_ROWS = 6


def show_diagnosis(found: "Diagnosis") -> None:
    """Prints the worst sentences and the counts.

    Args:
        found: The diagnosis.
    """
    summary = found.summary
    out.print(worst_table(found))
    lost = f"{summary.lost_in_encoder} lost in the encoder, {summary.lost_in_decoder} in the decoder"
    out.print(
        f"{summary.dropped:,} of {summary.words:,} source words dropped ({lost}) in "
        f"{summary.sentences_with_drops:,} of {summary.sentences:,} sentences",
        soft_wrap=True,
    )
    out.print(f"{summary.skipped:,} lines skipped; target / source pieces {summary.length_ratio:.2f}", soft_wrap=True)
    settings = found.signature["settings"]
    if settings["reference_of"] != "this model":
        out.print(
            f"Scores are rough: their scale is that of {settings['reference_of']} ({settings['reference_text']})",
            soft_wrap=True,
        )
    if summary.metrics:
        out.print(f"BLEU {summary.metrics['bleu']:.1f} ({summary.metrics['bleu_signature']})", soft_wrap=True)
        out.print(f"chrF {summary.metrics['chrf']:.1f} ({summary.metrics['chrf_signature']})", soft_wrap=True)


def worst_table(found: "Diagnosis") -> Table:
    """The sentences with most dropped words."""
    rows = {index: found[index] for index in found.summary.worst[:TABLE_ROWS]}
    table = Table(box=HORIZONTALS, title="Sentences with most dropped words", title_justify="left", show_lines=True)
    table.add_column("line", justify="right")
    table.add_column("source, with [dropped words]; translation", ratio=1)
    table.add_column("dropped", no_wrap=True, max_width=20)
    table.add_column("bits", justify="right")
    table.add_column("lost in")
    for index, sentence in rows.items():
        text = marked(sentence)
        text.append("\n" + printable(sentence.translation), style="dim")
        columns = ["\n".join(column) for column in zip(*map(_cells, sentence.dropped), strict=True)]
        table.add_row(str(index + 1), text, *columns)
    return table


def _cells(word: "WordDiagnosis") -> tuple[str, str, str]:
    return printable(word.text), f"{round(word.contribution_bits, 1) + 0.0:.1f}", word.lost_in or ""  # no -0.0


def marked(sentence: "SentenceDiagnosis") -> Text:
    """The source with its dropped words in brackets and, where there is colour, in red."""
    text, place = Text(), 0
    for word in sentence.dropped:
        text.append(printable(sentence.source[place : word.start]))
        text.append(f"[{printable(sentence.source[word.start : word.end])}]", style="bold red")
        place = word.end
    text.append(printable(sentence.source[place:]))
    return text
