"""One run as one self-contained HTML file: no network access, corpus text never markup, one sentence in memory."""

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

MAX_HEAT_MAPS, SHADES = 200, 6  # in a retention report
MAX_EMBEDDED = 5_000  # lines in the page: about 10 MB, which a browser still opens at once
GROUPS = {
    "by_part_of_speech": "Part of speech",
    "by_frequency": "Frequency rank",
    "by_position": "Position in sentence",
    "by_length": "Sentence length",
}
KEPT = {
    "kept_by_class": "Word class",
    "kept_by_frequency": "Frequency rank",
    "kept_by_part_of_speech": "Part of speech",
}
MIN_WORDS = 30  # intervals of smaller groups are too wide to set the scale of all bars
SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
MATRIX_DIGITS = 2  # decimals stored; a cell shows one

# Characters that an HTML parser or JavaScript could mistake for code, lone surrogates, which UTF-8 cannot encode, and
# bidirectional controls, which would reorder the page's source for a reader.
UNSAFE = re.compile("[<>&\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def write_report(
    path: Path, signature: dict[str, Any], summary: DiagnosisSummary, sentences: Iterable[SentenceDiagnosis]
) -> None:
    """Writes the report of a diagnosis atomically.

    Sentences are read once, one at a time.

    Args:
        path: Path of the HTML file.
        signature: Signature of the run; see `RunSignature.to_dict`.
        summary: Summary of the corpus.
        sentences: Results of the run, in order.
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
        embedded=MAX_EMBEDDED,
        blocks=_blocks(sentences, set(summary.worst)),
    )
    with replacing(path) as file:
        for piece in pieces:
            # The model's name may be a path, which need not be valid Unicode.
            file.write(piece.encode("utf-8", "replace").decode())


def write_retention_report(
    path: Path,
    signature: dict[str, Any],
    summary: RetentionSummary,
    sentences: Iterable[SentenceRetention],
    others: Sequence[RetentionSummary] = (),
) -> None:
    """Writes the report of a retention run atomically.

    Args:
        path: Path of the HTML file.
        signature: Signature of the run; see `RunSignature.to_dict`.
        summary: Summary of the corpus.
        sentences: Results of the run, in order; the first `MAX_HEAT_MAPS` are shown.
        others: Summaries of other models on the same sentences.
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
        embedded=MAX_HEAT_MAPS,
        sentences=islice(sentences, MAX_HEAT_MAPS),
    )
    with replacing(path) as file:
        for piece in pieces:
            file.write(piece.encode("utf-8", "replace").decode())


def _kept(summary: RetentionSummary) -> Iterator[tuple[str, dict[str, list[float]]]]:
    """Title of each available grouping of words, with the share that each layer keeps of each group."""
    for field, title in KEPT.items():
        rows = [getattr(layer, field) for layer in summary.layers]
        if rows and rows[0]:
            yield title, {name: [row[name] for row in rows] for name in rows[0]}


def _shade(word: WordRetention, layer: int) -> int:
    """Shade of a word's cell, 0 to `SHADES`; the darkest where the layer keeps at least as much as the first."""
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
    return Markup(environment.loader.get_source(environment, name)[0])  # a file of the package, hence trusted


def _policy(style: str, script: str) -> str:
    """A Content-Security-Policy that allows only the page's own style and script, by hash, and loads nothing."""
    style_hash, script_hash = (b64encode(sha256(text.encode()).digest()).decode() for text in (style, script))
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _facts(fields: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of the signature as text; names of nested fields are joined."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _facts(value, f"{prefix}{name}: ")
        else:
            yield prefix + name.replace("_", " "), ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _groups(summary: DiagnosisSummary) -> list[tuple[str, tuple[Share, ...]]]:
    return [(title, shares) for name, title in GROUPS.items() if (shares := getattr(summary, name))]


def scale_of(summary: DiagnosisSummary) -> float:
    """Upper end of the axis of every bar, the same for all panels, so that they are comparable.

    Args:
        summary: Summary of the corpus.

    Returns:
        One of `SCALES`, or 1.
    """
    shares = [share for _, group in _groups(summary) for share in group if share.words >= MIN_WORDS]
    longest = max((interval(share)[1] for share in shares), default=1.0)
    return next((scale for scale in SCALES if longest <= scale), 1.0)


def _blocks(sentences: Iterable[SentenceDiagnosis], worst: set[int]) -> Iterator[tuple[int, Markup, Markup | None]]:
    """Index and data of each line of the page and, separately, its matrix, which is parsed only when it is opened."""
    for number, sentence in enumerate(sentences):
        if number < MAX_EMBEDDED or sentence.index in worst:
            matrix = sentence.contribution_matrix_bits
            yield sentence.index, _json(_entry(sentence)), None if matrix is None else _json(_matrix(sentence, matrix))


def _entry(sentence: SentenceDiagnosis) -> dict[str, Any]:
    """Data of a line; words are rows without field names, which would make up most of the file."""
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
    """None for NaN and infinity, which JSON cannot represent."""
    return number if number is not None and math.isfinite(number) else None


def _json(value: Any) -> Markup:
    """JSON that is safe inside a script element: corpus text never becomes markup."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text))  # escaped above
