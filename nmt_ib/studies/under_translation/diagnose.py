"""Which source words did a translation leave out, and where were they lost?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nmt_ib.attribution.contribution import Contribution, ContributionMethod
from nmt_ib.batching import length_buckets
from nmt_ib.errors import RequestError
from nmt_ib.protocols import TranslationModel
from nmt_ib.readability import is_unicode, read_source
from nmt_ib.results.diagnosis import DIGITS, Diagnosis, SentenceDiagnosis, WordDiagnosis
from nmt_ib.signature import RunSignature, fingerprint_lines
from nmt_ib.studies.under_translation.calibration import Reference
from nmt_ib.studies.under_translation.encoder_bits import KeptBits, KeptByEncoder
from nmt_ib.studies.under_translation.stored_references import reference_for
from nmt_ib.studies.under_translation.summary import summarize
from nmt_ib.types import Sentence
from nmt_ib.word_classes import word_kinds

CHUNK_LINES = 50  # lines that are diagnosed as a whole: a run goes on at a multiple of it


@dataclass(frozen=True)
class UnderTranslation:
    """The study: model, measure and what it is compared with.

    Attributes:
        model: Any translation model.
        reference: What words of each kind contribute when they are translated.
        method: How contributions are measured; the reference was made with the same.
        beams: Beam size of the model's own translations; 1: greedy.
        batch_size: Copies of sentences that go through the model at once; changes no result.
        with_matrix: Whether to keep the words x tokens matrix.
    """

    model: TranslationModel
    reference: Reference
    method: ContributionMethod = ContributionMethod()
    beams: int = 1
    batch_size: int = 32
    with_matrix: bool = False

    def chunk(self, start: int, sources: Sequence[str], targets: Sequence[str] | None) -> list[SentenceDiagnosis]:
        """Diagnoses consecutive lines.

        Args:
            start: Number of the first line.
            sources: The lines.
            targets: Translations to force; None: the model translates.

        Returns:
            One object a line, in order.
        """
        lines = [
            SentenceDiagnosis(start + index, source, "" if targets is None else targets[index], targets is not None)
            for index, source in enumerate(sources)
        ]
        reasons: dict[int, str] = {}
        read: dict[int, Sentence] = {}
        for index, source in enumerate(sources):
            sentence, reason = read_source(self.model, source)
            if reason is None and targets is not None and not is_unicode(targets[index]):
                reason = "translation is not valid Unicode"
            if reason is None:
                read[index] = sentence
            else:
                reasons[index] = reason
        if targets is None:
            translated = self.translate(list(read.values()))
        else:
            translated = [self.model.tokenize_target(targets[index]) for index in read]
        pairs = {index: (source, target) for (index, source), target in zip(read.items(), translated, strict=True)}
        for index in [index for index, (_, target) in pairs.items() if len(target) > self.model.max_target_pieces]:
            length = len(pairs.pop(index)[1])
            reasons[index] = f"translation of {length:,} pieces; the model reads {self.model.max_target_pieces}"
        columns = ([source for source, _ in pairs.values()], [target for _, target in pairs.values()])
        measured = self.method(self.model, *columns, batch_size=self.batch_size)
        found = {
            index: self._sentence(lines[index], *pair, contribution)
            for (index, pair), contribution in zip(pairs.items(), measured, strict=True)
        }
        lossy = {index: pairs[index][0] for index, line in found.items() if line.dropped}
        for index, kept in zip(lossy, self._kept(list(lossy.values())), strict=True):
            found[index] = self._located(found[index], lossy[index], kept)
        return [found.get(index) or replace(line, skipped=reasons[index]) for index, line in enumerate(lines)]

    def translate(self, sources: Sequence[Sentence]) -> list[Sentence]:
        """The model's own translations, length-bucketed.

        Args:
            sources: Tokenised sources.

        Returns:
            Tokenised translations, in order.
        """
        found: dict[int, Sentence] = {}
        for bucket in length_buckets([len(source) for source in sources], self.batch_size):
            batch = self.model.pad([sources[index] for index in bucket])
            found |= zip(bucket, self.model.translate(batch, beams=self.beams), strict=True)
        return [found[index] for index in range(len(sources))]

    def _sentence(
        self, line: SentenceDiagnosis, source: Sentence, target: Sentence, contribution: Contribution
    ) -> SentenceDiagnosis:
        bits = contribution.matrix_bits.sum(1).tolist()
        words = []
        for word, value, score in zip(source.words, bits, self.reference.scores(word_kinds(source), bits), strict=True):
            figures = (round(value, DIGITS), None, round(score, DIGITS), score >= self.reference.threshold, None)
            words.append(WordDiagnosis(word.text, word.start, word.end, *figures))
        matrix = tuple(tuple(round(cell, DIGITS) for cell in row) for row in contribution.matrix_bits.tolist())
        return SentenceDiagnosis(
            index=line.index,
            source=line.source,
            translation=target.text,
            forced=line.forced,
            logprob_bits=round(float(contribution.logprob_bits.sum()), DIGITS),
            tokens=target.pieces,
            words=tuple(words),
            contribution_matrix_bits=matrix if self.with_matrix else None,
        )

    @cached_property
    def _kept(self) -> KeptByEncoder:
        return KeptByEncoder(self.model, self.batch_size)

    def _located(self, line: SentenceDiagnosis, source: Sentence, kept: KeptBits) -> SentenceDiagnosis:
        """The line with what the encoder keeps of each word, and where the dropped ones were lost."""
        places = self.reference.lost_in(word_kinds(source), kept.per_dimension)
        words = [
            replace(word, kept_bits=round(bits, DIGITS), lost_in=place if word.dropped else None)
            for word, bits, place in zip(line.words, kept.words, places, strict=True)
        ]
        return replace(line, words=tuple(words))


def chunks(lines: Sequence[str], size: int = CHUNK_LINES) -> Iterator[tuple[int, Sequence[str]]]:
    """The lines in chunks, each with the number of its first line."""
    for start in range(0, len(lines), size):
        yield start, lines[start : start + size]


def diagnose(
    model: TranslationModel,
    sources: Sequence[str],
    targets: Sequence[str] | None = None,
    *,
    references: Sequence[Sequence[str]] = (),
    method: ContributionMethod = ContributionMethod(),  # noqa: B008 - frozen
    beams: int = 1,
    batch_size: int = 32,
    with_matrix: bool = False,
) -> Diagnosis:
    """Which source words were left untranslated, and where they were lost.

    Args:
        model: What `load_translation_model` gives, or any TranslationModel.
        sources: One sentence each.
        targets: Translations to diagnose; None: the model translates first.
        references: Sets of reference translations, for BLEU and chrF.
        method: How contributions are measured.
        beams: Beam size of the model's own translations; 1: greedy.
        batch_size: Copies of sentences that go through the model at once; changes no result.
        with_matrix: Whether to keep the words x tokens matrix of each sentence.

    Returns:
        One diagnosis a sentence, in order, with a summary; it shows itself in a notebook.

    Raises:
        RequestError: Numbers of sources, targets and references differ, or a setting is out of range.
    """
    if isinstance(sources, str) or isinstance(targets, str):
        raise RequestError("sources and targets are lists of sentences: put one sentence into a list")
    if min(beams, batch_size) < 1:
        raise RequestError(f"beams and batch_size are at least 1; given: {beams} and {batch_size}")
    for name, lines in [("targets", targets), *(("references", lines) for lines in references)]:
        if lines is not None and len(lines) != len(sources):
            raise RequestError(f"one line of {name} for each source is expected: {len(sources)} sources given")
    study = UnderTranslation(
        model, reference_for(model, method, sources, batch_size), method, beams, batch_size, with_matrix
    )
    sentences: list[SentenceDiagnosis] = []
    for start, lines in chunks(sources):
        sentences += study.chunk(start, lines, None if targets is None else targets[start : start + len(lines)])
    data = {"sources": fingerprint_lines(sources)} | (
        {} if targets is None else {"targets": fingerprint_lines(targets)}
    )
    return Diagnosis(tuple(sentences), summarize(model, sentences, references), signature_of(study, data).to_dict())


def signature_of(study: UnderTranslation, data: dict[str, str]) -> RunSignature:
    """What decides the study's numbers on given data.

    Args:
        study: The study.
        data: Name of each input -> its fingerprint.

    Returns:
        The signature.
    """
    method = study.method
    settings = {
        "operator": method.operator,
        "draws": method.draws if method.operator == "noise" else 1,
        "shortlist": method.shortlist,
        "beams": study.beams,
        "matrix": study.with_matrix,
        "words": study.model.words_by,
        "reference": study.reference.fingerprint,
        "reference_text": study.reference.text,
    }
    return RunSignature("diagnose", study.model.name, study.model.fingerprint, data, settings, method.seed)
