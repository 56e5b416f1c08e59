"""Contributions of words of each kind that were translated, and that were left out: the scale of the score."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from nmt_ib.attribution.answers import own_translations
from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.protocols import TranslationModel
from nmt_ib.results.result import Document
from nmt_ib.studies.under_translation.encoder_bits import EncoderBitsMeasure
from nmt_ib.types import Sentence
from nmt_ib.word_classes import word_kinds

MAX_CUT_WORDS = 6  # words
MIN_WORDS = 20  # of a kind, on each side: below that a kind shares the figures of its class
MIN_SENTENCES = 30
MAX_CHARACTERS = 2_000  # characters
SENTENCE_WORDS = range(5, 60)
EVERY = "every kind"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class KindReference:
    """Words of one kind.

    Attributes:
        translated: Number of words in the sample that were there to be translated.
        left_out: Number of words in the sample that were cut before translating.
        translated_bits: 5, 25, 50, 75 and 95 % quantiles of the contributions of translated words.
        left_out_bits: The same for words that were left out.
        intercept: Log-odds of "left out" at 0 bits with equal priors, in nats.
        slope: Change of the log-odds with each bit, <= 0.
        kept_from_bits: 5 % quantile of the bits that the encoder's last layer keeps of translated words, per piece and
            dimension of the embedding; see `EncoderBits`.
    """

    translated: int
    left_out: int
    translated_bits: tuple[float, ...]
    left_out_bits: tuple[float, ...]
    intercept: float
    slope: float
    kept_from_bits: float


@dataclass(frozen=True)
class Reference(Document):
    """The reference distribution of one model and operator.

    Attributes:
        model_fingerprint: Fingerprint of the model that it was estimated for, which may be another than the one
            measured.
        operator: How words were removed.
        text: Description of the corpus that it was estimated on.
        kinds: Kind -> its figures; rare kinds use those of their class, or of `EVERY`.
        threshold: Score from which a word counts as dropped; .5: both hypotheses are equally likely.
    """

    model_fingerprint: str
    operator: str
    text: str
    kinds: dict[str, KindReference]
    threshold: float = 0.5

    def scores(self, kinds: Sequence[str], bits: Sequence[float]) -> list[float]:
        """Probabilities that words were left out, given their contributions.

        Args:
            kinds: Kind of each word.
            bits: Contribution of each word.

        Returns:
            Posterior probabilities under equal priors, 0 to 1.
        """
        figures = [self._of(kind) for kind in kinds]
        logits = np.array([entry.intercept + entry.slope * value for entry, value in zip(figures, bits, strict=True)])
        return expit(logits).tolist()

    def lost_in(self, kinds: Sequence[str], kept: Sequence[float]) -> list[str]:
        """Where each word was lost, if it was dropped.

        Args:
            kinds: Kind of each word.
            kept: Bits that the encoder's last layer keeps of each word, per piece and dimension.

        Returns:
            "encoder" where the layer keeps fewer bits than of 95 % of the translated words of that kind, else
            "decoder".
        """
        edges = [self._of(kind).kept_from_bits for kind in kinds]
        return ["encoder" if bits < edge else "decoder" for bits, edge in zip(kept, edges, strict=True)]

    def _of(self, kind: str) -> KindReference:
        name = kind.split(",", maxsplit=1)[0]
        return self.kinds.get(kind) or self.kinds.get(name) or self.kinds[EVERY]

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all figures."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]


def cut_span(source: Sentence, generator: random.Random) -> tuple[int, int]:
    """A span of words to leave out: 1 to 6 of them, at most a third of the sentence.

    Args:
        source: A sentence of at least three words.
        generator: Source of randomness.

    Returns:
        First word and one past the last word.
    """
    words = len(source.words)
    length = generator.randint(1, max(1, min(MAX_CUT_WORDS, words // 3)))
    first = generator.randint(0, words - length)
    return first, first + length


def without_span(source: Sentence, first: int, stop: int) -> str:
    """The sentence's text without the words `first` to `stop` (exclusive) and the space before them."""
    before, after = source.text[: source.words[first].start], source.text[source.words[stop - 1].end :]
    return (before.rstrip() + after if before else after).strip()


def estimate_reference(
    model: TranslationModel,
    method: ContributionMethod,
    lines: Iterable[str],
    *,
    text: str,
    batch_size: int = 32,
    advance: Callable[[int], object] = lambda _: None,
) -> Reference | None:
    """Estimates a model's reference without annotation.

    A span of words is cut from each sentence, the model translates the rest, and the translation is paired with the
    whole sentence: it lacks the words that were cut for certain, and the others were there to be translated.

    Args:
        model: The model.
        method: How contributions are measured.
        lines: Sentences of its source language; unusable ones are skipped.
        text: Description of the lines.
        batch_size: Copies of sentences that go through the model at once; does not affect results beyond rounding.
        advance: Called with the number of sentences just done.

    Returns:
        The reference; None where fewer than `MIN_SENTENCES` sentences are usable.
    """
    short = (line for line in lines if len(line) <= MAX_CHARACTERS and line.isprintable())
    sources = [source for source in map(model.tokenize_source, short) if _usable(model, source)]
    if len(sources) < MIN_SENTENCES:
        return None
    measure = EncoderBitsMeasure(model, batch_size)
    observed: dict[str, list[tuple[bool, float, float]]] = defaultdict(list)
    for start in range(0, len(sources), batch_size):
        batch = sources[start : start + batch_size]
        spans = [cut_span(source, random.Random(f"{method.seed} {source.text}")) for source in batch]  # noqa: S311
        rest = [model.tokenize_source(without_span(source, *span)) for source, span in zip(batch, spans, strict=True)]
        targets = own_translations(model, rest, batch_size)
        contributions = method(model, batch, targets, batch_size=batch_size)
        for source, span, found, kept in zip(batch, spans, contributions, measure(batch), strict=True):
            rows = zip(word_kinds(source), found.matrix_bits.sum(1).tolist(), kept.per_dimension, strict=True)
            for word, (kind, bits, kept_bits) in enumerate(rows):
                for name in (kind, kind.split(",")[0], EVERY):
                    observed[name].append((span[0] <= word < span[1], bits, kept_bits))
        advance(len(batch))
    kinds = {name: _figures(rows) for name, rows in sorted(observed.items()) if _enough(name, rows)}
    return Reference(model.fingerprint, method.operator, f"{len(sources)} sentences: {text}", kinds)


def _usable(model: TranslationModel, source: Sentence) -> bool:
    return len(source.words) in SENTENCE_WORDS and len(source) <= model.max_source_pieces


def _enough(name: str, rows: list[tuple[bool, float, float]]) -> bool:
    left_out = sum(row[0] for row in rows)
    return name == EVERY or min(left_out, len(rows) - left_out) >= MIN_WORDS


def _figures(rows: list[tuple[bool, float, float]]) -> KindReference:
    left_out, bits, kept = (np.array(column) for column in zip(*rows, strict=True))
    left_out = left_out.astype(bool)
    fit = LogisticRegression(C=100.0).fit(bits[:, None], left_out)
    odds = np.log(left_out.sum() / (~left_out).sum())

    def quantiles(values: np.ndarray) -> tuple[float, ...]:
        return tuple(np.quantile(values, QUANTILES).round(3).tolist())

    return KindReference(
        translated=int((~left_out).sum()),
        left_out=int(left_out.sum()),
        translated_bits=quantiles(bits[~left_out]),
        left_out_bits=quantiles(bits[left_out]),
        intercept=round(float(fit.intercept_[0] - odds), 5),
        slope=round(min(float(fit.coef_[0, 0]), 0.0), 5),
        kept_from_bits=round(float(np.quantile(kept[~left_out], QUANTILES[0])), 5),
    )
