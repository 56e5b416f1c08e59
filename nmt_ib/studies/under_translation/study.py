"""Which source words did a translation leave out, and where were they lost? Chunk by chunk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nmt_ib.attribution.answers import own_translations
from nmt_ib.attribution.contribution import Contribution, ContributionMethod
from nmt_ib.protocols import TranslationModel
from nmt_ib.readability import read_pairs, storable
from nmt_ib.results.diagnosis import DIGITS, SentenceDiagnosis, WordDiagnosis
from nmt_ib.signature import RunSignature
from nmt_ib.studies.under_translation.calibration import Reference
from nmt_ib.studies.under_translation.encoder_bits import EncoderBits, EncoderBitsMeasure
from nmt_ib.types import Sentence
from nmt_ib.word_classes import frequency_bands, word_classes, word_kinds

THIS_MODEL, DEFAULT_MODEL = "this model", "builtin:en-pt"  # whose reference a run used
CHUNK_LINES = 50  # lines that are diagnosed as a whole: a run is resumed at a multiple of it


@dataclass(frozen=True)
class UnderTranslation:
    """A model, how contributions are measured, and the reference that turns them into scores.

    Attributes:
        model: Any translation model.
        reference: Contributions of words of each kind that were translated, and that were left out.
        method: How contributions are measured; the reference was made with the same.
        beams: Beam size of the model's own translations; 1: greedy.
        batch_size: Copies of sentences that go through the model at once; does not affect results beyond rounding.
        matrix: Whether to include the words x tokens matrix.
    """

    model: TranslationModel
    reference: Reference
    method: ContributionMethod = ContributionMethod()
    beams: int = 1
    batch_size: int = 32
    matrix: bool = False

    def signature(self, data: dict[str, str]) -> RunSignature:
        """What decides the numbers of a run.

        Args:
            data: Role of each input -> fingerprint of its lines.

        Returns:
            The signature.
        """
        method = self.method
        settings = {
            "operator": method.operator,
            "draws": method.draws if method.operator == "noise" else 1,
            "shortlist": method.shortlist,
            "beams": self.beams,
            "matrix": self.matrix,
            "words": self.model.words_by,
            "reference": self.reference.fingerprint,
            "reference_text": self.reference.text,
            "reference_of": THIS_MODEL if self.reference.model_fingerprint == self.model.fingerprint else DEFAULT_MODEL,
        }
        return RunSignature("diagnose", self.model.name, self.model.fingerprint, data, settings, method.seed)

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
            SentenceDiagnosis(
                start + index,
                storable(source),
                "" if targets is None else storable(targets[index]),
                targets is not None,
            )
            for index, source in enumerate(sources)
        ]
        read = read_pairs(self.model, sources, targets)
        translations = read.targets
        if translations is None:
            translations = own_translations(self.model, read.sources, self.batch_size, beams=self.beams)
        contributions = self.method(self.model, read.sources, translations, batch_size=self.batch_size)
        found = {
            index: self._sentence(lines[index], source, target, contribution)
            for index, source, target, contribution in zip(
                read.indices, read.sources, translations, contributions, strict=True
            )
        }
        lossy = {
            index: source for index, source in zip(read.indices, read.sources, strict=True) if found[index].dropped
        }
        for index, bits in zip(lossy, self._encoder_bits(list(lossy.values())), strict=True):
            found[index] = self._located(found[index], lossy[index], bits)
        return [found.get(index) or replace(line, skipped=read.skipped[index]) for index, line in enumerate(lines)]

    def _sentence(
        self, line: SentenceDiagnosis, source: Sentence, target: Sentence, contribution: Contribution
    ) -> SentenceDiagnosis:
        bits = contribution.matrix_bits.sum(1).tolist()
        scores = self.reference.scores(word_kinds(source), bits)
        kinds = zip(word_classes(source), frequency_bands(source), strict=True)
        words = tuple(
            WordDiagnosis(
                text=word.text,
                start=word.start,
                end=word.end,
                contribution_bits=round(value, DIGITS),
                kept_bits=None,
                score=round(score, DIGITS),
                dropped=score >= self.reference.threshold,
                lost_in=None,
                word_class=word_class,
                frequency=band,
                pos=word.pos,
                pieces=source.word_index.count(place),
            )
            for place, (word, value, score, (word_class, band)) in enumerate(
                zip(source.words, bits, scores, kinds, strict=True)
            )
        )
        matrix = tuple(tuple(round(cell, DIGITS) for cell in row) for row in contribution.matrix_bits.tolist())
        return SentenceDiagnosis(
            index=line.index,
            source=line.source,
            translation=target.text,
            forced=line.forced,
            logprob_bits=round(float(contribution.logprob_bits.sum()), DIGITS),
            tokens=target.pieces,
            words=words,
            contribution_matrix_bits=matrix if self.matrix else None,
        )

    @cached_property
    def _encoder_bits(self) -> EncoderBitsMeasure:
        return EncoderBitsMeasure(self.model, self.batch_size)

    def _located(self, line: SentenceDiagnosis, source: Sentence, kept: EncoderBits) -> SentenceDiagnosis:
        """The line with what the encoder keeps of each word, and where the dropped ones were lost."""
        places = self.reference.lost_in(word_kinds(source), kept.per_dimension)
        words = [
            replace(word, kept_bits=round(bits, DIGITS), lost_in=place if word.dropped else None)
            for word, bits, place in zip(line.words, kept.words, places, strict=True)
        ]
        return replace(line, words=tuple(words))
