"""What a diagnosed corpus shows: who is dropped, where, how often."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from nmt_ib.errors import RequestError
from nmt_ib.results.diagnosis import DIGITS, DiagnosisSummary, SentenceDiagnosis, Share
from nmt_ib.word_classes import BANDS, CLASSES, RARE

WORST = 20
FIFTHS = ("first fifth", "second fifth", "third fifth", "fourth fifth", "last fifth")
LENGTHS = {10: "1 to 10 words", 20: "11 to 20 words", 30: "21 to 30 words", 50: "31 to 50 words"}
LONGER = "over 50 words"


@dataclass
class _Groups:
    """Counts of words, and of dropped words, by name."""

    order: Sequence[str] = ()
    words: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, dropped: bool) -> None:
        self.words[name] += 1
        self.dropped[name] += dropped

    def shares(self) -> tuple[Share, ...]:
        frequent_first = [name for name, _ in self.words.most_common()]
        names = [name for name in self.order or frequent_first if name in self.words]
        return tuple(Share(name, self.words[name], self.dropped[name]) for name in names)


def summarize(sentences: Iterable[SentenceDiagnosis], references: Sequence[Sequence[str]] = ()) -> DiagnosisSummary:
    """Counts over a corpus, in one pass; only its translations are held in memory.

    Args:
        sentences: The diagnosed lines, in order.
        references: Sets of reference translations, each with one line a sentence.

    Returns:
        The summary.

    Raises:
        RequestError: A set of references has another number of lines.
    """
    speech, frequency = _Groups(), _Groups((*BANDS.values(), RARE))
    position, length = _Groups(FIFTHS), _Groups((*LENGTHS.values(), LONGER))
    totals: Counter[str] = Counter()
    drops: list[tuple[int, float, int]] = []
    hypotheses: list[str] = []
    for line in sentences:
        hypotheses.append(line.translation)
        totals["skipped"] += line.skipped is not None
        if line.skipped is not None:
            continue
        for index, word in enumerate(line.words):
            speech.add(word.pos or word.word_class, word.dropped)
            frequency.add(word.frequency, word.dropped)
            position.add(FIFTHS[5 * index // len(line.words)], word.dropped)
            length.add(_length_band(len(line.words)), word.dropped)
            totals[f"lost in {word.lost_in}"] += word.dropped
        totals["words"] += len(line.words)
        totals["source pieces"] += sum(word.pieces for word in line.words)
        totals["target pieces"] += len(line.tokens) - 1
        if line.dropped:
            drops.append((-len(line.dropped), -max(word.score for word in line.dropped), line.index))
            totals["dropped"] += len(line.dropped)
    speech.order = CLASSES if set(speech.words) <= set(CLASSES) else ()
    return DiagnosisSummary(
        sentences=len(hypotheses),
        skipped=totals["skipped"],
        words=totals["words"],
        dropped=totals["dropped"],
        sentences_with_drops=len(drops),
        lost_in_encoder=totals["lost in encoder"],
        lost_in_decoder=totals["lost in decoder"],
        length_ratio=round(totals["target pieces"] / max(totals["source pieces"], 1), DIGITS),
        by_part_of_speech=speech.shares(),
        by_frequency=frequency.shares(),
        by_position=position.shares(),
        by_length=length.shares(),
        worst=tuple(index for *_, index in sorted(drops)[:WORST]),
        metrics=_metrics(hypotheses, references) if references else None,
    )


def _length_band(words: int) -> str:
    return next((name for limit, name in LENGTHS.items() if words <= limit), LONGER)


def _metrics(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, Any]:
    for lines in references:
        if len(lines) != len(hypotheses):
            raise RequestError(f"{len(lines)} lines of references for {len(hypotheses)} sources")
    found: dict[str, Any] = {}
    for name, metric in (("bleu", BLEU()), ("chrf", CHRF())):
        found[name] = round(metric.corpus_score(list(hypotheses), list(references)).score, DIGITS)
        found[f"{name}_signature"] = str(metric.get_signature())
    return found
