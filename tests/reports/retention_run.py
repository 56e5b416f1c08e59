"""Results of retention for the tests of its report and figures."""

import re

from nmt_ib.results.retention import LayerRetention, RetentionSummary, SentenceRetention, WordRetention

MARKUP = "<u>rare</u>"


def summary_of(lines, *, layers=3, model="<b>model</b>\udcff"):
    rows = tuple(
        LayerRetention(
            f"encoder {layer + 1}", 90.0 - layer, (80.0, 95.0), 0.5, 1 - layer / 10, 0.01, 0.1,
            {"open class": 0.9, MARKUP: 0.5}, {"top 100": 0.8}, {},
        )
        for layer in range(layers)
    )  # fmt: skip
    return RetentionSummary(model, lines, 1, 7 * lines, rows)


def measured(index, text, *, layers=3, bits=None):
    """A sentence whose words are what stands between spaces."""
    words = tuple(
        WordRetention(
            match[0], *match.span(), "open class", "rarer", "",
            tuple((10.0 * place + layer if bits is None else bits) for layer in range(layers)), (0.0,) * layers,
        )
        for place, match in enumerate(re.finditer(r"[^ ]+", text))
    )  # fmt: skip
    return SentenceRetention(index, text, f"t {text}", words)


def words_of(*rows):
    """A sentence whose words keep these bits in each layer."""
    words = tuple(WordRetention("w", 0, 1, "open class", "<u>", "NOUN", row, (0.0,) * len(row)) for row in rows)
    return SentenceRetention(0, "w", words=words)
