"""A run whose texts would like to be markup, shared by the tests of the report."""

import re

from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, Share, WordDiagnosis

HOSTILE = [
    "<script>alert(1)</script> title",
    "a </script><img src=x onerror=alert(2)> b",
    "<!-- <script> never closed",
    "]]> &lt; &amp; &#60; {{ 7 * 7 }} {% raw %}",
    "nul \0 bell \a delete \x7f c1 \x85 end",
    "a line\u2028and\u2029paragraph",
    "שלום \u202etxt.exe\u202c עולם",
    "😀 family 👨‍👩‍👧 was dropped",
    "lone \ud800 surrogate",
    "'\"` ${alert(3)} javascript:alert(4)",
]
KIND = ("open class", "top 100", "", 1)  # class, frequency, part of speech and pieces of a word
PICTURES = {0: "␀", 7: "␇", 127: "␡", **dict.fromkeys((0x85, 0x2028, 0x2029, 0xD800), "\ufffd")}
SIGNATURE = {
    "command": "diagnose",
    "model": "<b>model</b>\udcff",
    "model_fingerprint": "0ae8",
    "data": {"sources": "c125"},
    "settings": {"beams": 1, "matrix": True},
    "seed": 0,
    "version": "0.1.0",
}


def diagnosed(index: int, source: str, *, dropped: tuple[int, ...] = (), matrix: bool = False) -> SentenceDiagnosis:
    """A sentence whose words are what stands between spaces."""
    words = []
    for place, match in enumerate(re.finditer(r"[^ ]+", source)):
        gone = place in dropped
        figures = (-1.3 if gone else 2.0**place, 31.4 if place == 1 else None, 0.97 if gone else 0.03, gone)
        lost_in = ("encoder", "decoder")[index % 2] if gone else None
        words.append(WordDiagnosis(match[0], *match.span(), *figures, lost_in, *KIND))
    cells = tuple((float(place), -2.0) for place in range(len(words))) if matrix else None
    tokens = ("▁<i>", "</s>")
    return SentenceDiagnosis(
        index, source, f"t{index} {source}", False, -float(index), tokens, tuple(words), None, cells
    )


def summary_of(lines: int, **fields) -> DiagnosisSummary:
    groups = (Share("open class", 900, 40), Share("<u>rare</u>", 3, 3), Share("none", 0, 0))
    metrics = {"bleu": 26.11, "bleu_signature": "nrefs:1|tok:13a", "chrf": 55.0, "chrf_signature": "nrefs:1|nc:6"}
    known = {"by_part_of_speech": groups, "by_frequency": groups, "by_position": groups, "by_length": groups}
    return DiagnosisSummary(lines, 1, 903, 43, 20, 20, 23, 0.98, **{**known, "metrics": metrics, **fields})
