"""The report: one self-contained page, that holds its sentences as data and shows fifty of them at a time."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from nmt_ib.reports.jsonfile import replacing
from nmt_ib.results import DiagnosisSummary, SentenceDiagnosis, Share

MOST_SENTENCES = 5_000  # what a browser holds without lag; the rest is in sentences.jsonl
DATA_MARK = "<!-- sentences -->"


def write_report(
    path: Path, signature: dict[str, Any], summary: DiagnosisSummary, sentences: Iterable[SentenceDiagnosis]
) -> None:
    """Writes the page, holding one sentence in memory at a time.

    Args:
        path: Where it goes; it appears whole or not at all.
        signature: What made the run.
        summary: What the corpus shows.
        sentences: The lines of the run, in order; the first `MOST_SENTENCES` are shown.
    """
    environment = Environment(
        loader=PackageLoader("nmt_ib.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("diagnosis.html").render(
        signature=signature,
        settings={**signature.get("settings", {}), "seed": signature.get("seed"), "data": signature.get("data")},
        summary=summary,
        groups=_groups(summary),
        shown=min(summary.sentences, MOST_SENTENCES),
        total=summary.sentences,
    )
    head, tail = page.split(DATA_MARK)
    with replacing(path) as file:
        file.write(head)
        for separator, sentence in zip(chain([""], _commas()), islice(sentences, MOST_SENTENCES), strict=False):
            file.write(separator + as_script_data(_compact(sentence)))
        file.write(tail)


def _commas() -> Iterator[str]:
    while True:
        yield ",\n"


def as_script_data(value: Any) -> str:
    """JSON that cannot end the script element it stands in, whatever text it holds.

    Args:
        value: Plain data.

    Returns:
        JSON in ASCII, with `<`, `>` and `&` escaped, too.
    """
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _compact(sentence: SentenceDiagnosis) -> list[Any]:
    """One sentence as the page's script reads it: lists in a fixed order take a third of the room of objects."""
    words = [
        [word.start, word.end, word.contribution_bits, word.score, int(word.dropped), word.lost_in, word.kept_bits]
        for word in sentence.words
    ]
    figures = [sentence.index, sentence.source, sentence.translation, sentence.logprob_bits, sentence.skipped]
    matrix = sentence.contribution_matrix_bits
    return [*figures, words, list(sentence.tokens), None if matrix is None else [list(row) for row in matrix]]


def _groups(summary: DiagnosisSummary) -> list[tuple[str, list[tuple[Share, float]]]]:
    """Title and shares of each corpus figure, with the length of its bar in percent of the longest one."""
    named = {
        "By class of word": summary.by_part_of_speech,
        "By frequency rank": summary.by_frequency,
        "By place in the sentence": summary.by_position,
        "By length of the sentence": summary.by_length,
    }
    longest = max((share.share for shares in named.values() for share in shares), default=0) or 1
    return [(title, [(share, 100 * share.share / longest) for share in shares]) for title, shares in named.items()]
