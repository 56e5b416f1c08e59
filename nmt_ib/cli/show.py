"""What `nmt-ib diagnose` prints: a table of the worst sentences, or one JSON document."""

import json
import sys
from typing import TYPE_CHECKING

from rich.box import HORIZONTALS
from rich.table import Table
from rich.text import Text

from nmt_ib.cli.render import REPORT
from nmt_ib.cli.terminal import out, printable

if TYPE_CHECKING:
    from nmt_ib.reports.jsonfile import RunDirectory
    from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, WordDiagnosis

TABLE_ROWS = 6


def show(run: "RunDirectory", *, as_json: bool, named: bool) -> None:
    """Prints a finished run: one JSON document, or a table of the worst sentences.

    Args:
        run: The run.
        as_json: Which of the two.
        named: Whether the user named the directory, so that its report can be opened.
    """
    if as_json:
        print_json(run)
        return
    summary = run.summary()
    out.print(worst_table(run, summary))
    lost = f"{summary.lost_in_encoder} lost in the encoder, {summary.lost_in_decoder} in the decoder"
    out.print(
        f"{summary.dropped:,} of {summary.words:,} source words dropped ({lost}) in "
        f"{summary.sentences_with_drops:,} of {summary.sentences:,} sentences",
        soft_wrap=True,
    )
    out.print(f"{summary.skipped:,} lines skipped; target / source pieces {summary.length_ratio:.2f}", soft_wrap=True)
    text = (run.signature or {})["settings"]["reference_text"]
    if text.startswith("another model's"):
        out.print(f"Scores are rough: their reference is {text}", soft_wrap=True)
    if summary.metrics:
        out.print(f"BLEU {summary.metrics['bleu']:.1f} ({summary.metrics['bleu_signature']})", soft_wrap=True)
        out.print(f"chrF {summary.metrics['chrf']:.1f} ({summary.metrics['chrf_signature']})", soft_wrap=True)
    if named:
        out.print(f"Report: {run.path / REPORT}", soft_wrap=True)


def print_json(run: "RunDirectory") -> None:
    """Prints signature, summary and sentences as one document, holding one sentence in memory at a time."""
    from nmt_ib.reports.jsonfile import to_line

    known = {"signature": run.signature, "summary": run.summary().to_dict()}
    if others := list(run.summaries().items())[1:]:
        known["compared"] = {model: summary.to_dict() for model, summary in others}
    head = json.dumps(known, ensure_ascii=False)
    sys.stdout.write(head[:-1] + ', "sentences": [\n')
    for sentence in run.sentences():
        sys.stdout.write(("," if sentence.index else "") + to_line(sentence))
    sys.stdout.write("]}\n")


def worst_table(run: "RunDirectory", summary: "DiagnosisSummary") -> Table:
    """The sentences with most dropped words."""
    wanted = summary.worst[:TABLE_ROWS]
    rows = {sentence.index: sentence for sentence in run.sentences() if sentence.index in wanted}
    table = Table(box=HORIZONTALS, title="Sentences with most dropped words", title_justify="left", show_lines=True)
    table.add_column("line", justify="right")
    table.add_column("source, with [dropped words]; translation", ratio=1)
    table.add_column("dropped", no_wrap=True, max_width=20)
    table.add_column("bits", justify="right")
    table.add_column("lost in")
    for index in wanted:
        text = marked(rows[index])
        text.append("\n" + printable(rows[index].translation), style="dim")
        columns = ["\n".join(column) for column in zip(*map(_cells, rows[index].dropped), strict=True)]
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
