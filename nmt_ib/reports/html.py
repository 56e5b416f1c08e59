"""One run as one HTML file: no network, no markup out of the corpus, memory for one sentence."""

import json
import math
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from scipy.stats import binomtest

from nmt_ib.files import replacing
from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, Share
from nmt_ib.results.retention import LEGEND, RetentionSummary, SentenceRetention, WordRetention

HEAT_MAPS, SHADES = 200, 6  # of a retention report
EMBEDDED = 5_000  # lines in the page: about 10 MB, which a browser opens at once; a run of any length stays openable
GROUPS = {
    "by_part_of_speech": "Part of speech",
    "by_frequency": "Frequency rank of the word",
    "by_position": "Position in the sentence",
    "by_length": "Length of the sentence",
}
KEPT = {
    "kept_by_class": "Class of word",
    "kept_by_frequency": "Frequency rank",
    "kept_by_part_of_speech": "Part of speech",
}
FEW_WORDS = 30  # a smaller group has an interval so wide that it would squeeze every other bar
SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
MATRIX_DIGITS = 2  # a cell shows one

# What an HTML parser or JavaScript could take for something else than data, what no UTF-8 file can hold (lone
# surrogates), and what would reorder the page's source before a reader's eyes.
UNSAFE = re.compile("[<>&\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def write_report(
    path: Path, signature: dict[str, Any], summary: DiagnosisSummary, sentences: Iterable[SentenceDiagnosis]
) -> None:
    """Writes the report of a run, whole or not at all.

    Sentences are read once and never held together.

    Args:
        path: The HTML file.
        signature: What made the run; see `RunSignature.to_dict`.
        summary: What the corpus shows.
        sentences: The lines of the run, in order.
    """
    environment = _environment()
    template = environment.get_template("diagnosis.html")
    style, script = (_inline(environment, name) for name in ("diagnosis.css", "diagnosis.js"))
    pieces = template.generate(
        policy=_policy(style, script),
        style=style,
        script=script,
        signature=signature,
        facts=list(_facts(signature)),
        summary=summary,
        overall=Share("all words", summary.words, summary.dropped),
        groups=_groups(summary),
        scale=scale_of(summary),
        embedded=EMBEDDED,
        blocks=_blocks(sentences, set(summary.worst)),
    )
    with replacing(path) as file:
        for piece in pieces:
            # A directory's name need not be valid Unicode, and the model's name may be one.
            file.write(piece.encode("utf-8", "replace").decode())


def write_retention_report(
    path: Path,
    signature: dict[str, Any],
    summary: RetentionSummary,
    sentences: Iterable[SentenceRetention],
    others: Sequence[RetentionSummary] = (),
) -> None:
    """Writes the report of a retention run, whole or not at all.

    Args:
        path: The HTML file.
        signature: What made the run; see `RunSignature.to_dict`.
        summary: What the corpus shows.
        sentences: The lines of the run, in order; the first `HEAT_MAPS` are shown.
        others: What the same sentences show of other models.
    """
    environment = _environment()
    environment.filters["shade"] = _shade
    style = Markup("").join(_inline(environment, name) for name in ("diagnosis.css", "retention.css"))
    pieces = environment.get_template("retention.html").generate(
        policy=_policy(style, ""),
        style=style,
        signature=signature,
        facts=list(_facts(signature)),
        summary=summary,
        names=[layer.name for layer in summary.layers],
        layers=[layer.shown() for layer in summary.layers],
        groups=list(_kept(summary)),
        models=[summary, *others],
        legend=LEGEND,
        embedded=HEAT_MAPS,
        sentences=islice(sentences, HEAT_MAPS),
    )
    with replacing(path) as file:
        for piece in pieces:
            file.write(piece.encode("utf-8", "replace").decode())


def _kept(summary: RetentionSummary) -> Iterator[tuple[str, dict[str, list[float]]]]:
    """For each grouping of words that is known its title, and what every layer keeps of each group."""
    for field, title in KEPT.items():
        rows = [getattr(layer, field) for layer in summary.layers]
        if rows and rows[0]:
            yield title, {name: [row[name] for row in rows] for name in rows[0]}


def _shade(word: WordRetention, layer: int) -> int:
    """How dark a word's cell is: 0 to `SHADES`, where it keeps all that the first layer does, or more."""
    return round(SHADES * min(word.kept[layer], 1))


def interval(share: Share) -> tuple[float, float]:
    """The 95 % interval of a share of dropped words, which is honest about small groups.

    Args:
        share: A group of words.

    Returns:
        Lower and upper end, 0 to 1.

    References:
        Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    if not share.words:
        return 0.0, 1.0
    found = binomtest(share.dropped, share.words).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nmt_ib", "reports/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": "{:,}".format, "percent": "{:.1%}".format, "interval": interval}
    return environment


def _inline(environment: Environment, name: str) -> Markup:
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])  # the package's own file


def _policy(style: str, script: str) -> str:
    """A Content-Security-Policy that runs this page's own code, known by its hash, and loads nothing."""
    style_hash, script_hash = (b64encode(sha256(text.encode()).digest()).decode() for text in (style, script))
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _facts(fields: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The signature as names and texts, nested names joined."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _facts(value, f"{prefix}{name}: ")
        else:
            yield prefix + name.replace("_", " "), ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _groups(summary: DiagnosisSummary) -> list[tuple[str, tuple[Share, ...]]]:
    return [(title, shares) for name, title in GROUPS.items() if (shares := getattr(summary, name))]


def scale_of(summary: DiagnosisSummary) -> float:
    """The share at the end of every bar: one for all panels, so that they compare.

    Args:
        summary: What the corpus shows.

    Returns:
        One of `SCALES`, or 1.
    """
    shares = [share for _, group in _groups(summary) for share in group if share.words >= FEW_WORDS]
    longest = max((interval(share)[1] for share in shares), default=1.0)
    return next((scale for scale in SCALES if longest <= scale), 1.0)


def _blocks(sentences: Iterable[SentenceDiagnosis], worst: set[int]) -> Iterator[tuple[int, Markup, Markup | None]]:
    """For each line of the page its index, its data and, apart, its matrix, which is read when it is asked for."""
    for number, sentence in enumerate(sentences):
        if number < EMBEDDED or sentence.index in worst:
            matrix = sentence.contribution_matrix_bits
            yield sentence.index, _json(_entry(sentence)), None if matrix is None else _json(_matrix(sentence, matrix))


def _entry(sentence: SentenceDiagnosis) -> dict[str, Any]:
    """What the page knows of a line; words are rows, since their names would be most of the file."""
    return {
        "index": sentence.index,
        "source": sentence.source,
        "translation": sentence.translation,
        "forced": sentence.forced,
        "logprob_bits": _finite(sentence.logprob_bits),
        "tokens": len(sentence.tokens),
        "skipped": sentence.skipped,
        "words": [
            [
                word.start,
                word.end,
                *map(_finite, (word.contribution_bits, word.kept_bits, word.score)),
                int(word.dropped),
                word.lost_in,
            ]
            for word in sentence.words
        ],
    }


def _matrix(sentence: SentenceDiagnosis, matrix: tuple[tuple[float, ...], ...]) -> dict[str, Any]:
    rows = [[None if _finite(cell) is None else round(cell, MATRIX_DIGITS) for cell in row] for row in matrix]
    return {"tokens": sentence.tokens, "bits": rows}


def _finite(number: float | None) -> float | None:
    """JSON has no infinity, and a page that cannot be parsed shows nothing."""
    return number if number is not None and math.isfinite(number) else None


def _json(value: Any) -> Markup:
    """JSON that is safe between script tags: corpus text never becomes markup."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text))  # escaped for this place
