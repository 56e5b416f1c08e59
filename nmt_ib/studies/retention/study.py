"""Bits of each word that every encoder and decoder layer keeps, chunk by chunk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmt_ib.attribution.answers import own_translations
from nmt_ib.attribution.sigma import Sigma
from nmt_ib.attribution.sites import Site
from nmt_ib.attribution.statistics import CorpusStatistics
from nmt_ib.attribution.statistics_measurement import statistics_for
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.readability import read_pairs, readable_sentences, storable
from nmt_ib.results.diagnosis import DIGITS
from nmt_ib.results.retention import SentenceRetention, WordRetention
from nmt_ib.signature import RunSignature
from nmt_ib.types import Sentence
from nmt_ib.word_classes import frequency_bands, word_classes

CHUNK_LINES = 10  # lines that are measured as a whole: a run is resumed at a multiple of it
CORPUS_LINES = 300  # lines of the input that give the prior and the scale of the states
MIN_LINES = 50  # for a shorter input the sentences that the package ships give them


@dataclass(frozen=True)
class RetentionStudy:
    """A model, and how the bits that its layers keep are measured.

    Attributes:
        model: Any model.
        statistics: Corpus statistics: prior of the embeddings, scale of the states.
        method: Search for the noise; its layer is ignored. A few steps are enough where many words are averaged.
        repetitions: Number of searches with other noise, which shows the method's own error.
        batch_size: Disturbed copies of sentences that go through the model at once; does not affect results beyond
            rounding.
    """

    model: EncoderModel
    statistics: CorpusStatistics
    method: Sigma = Sigma(steps=4, pairs=2)
    repetitions: int = 2
    batch_size: int = 32

    @property
    def sites(self) -> list[Site]:
        """Every layer of the encoder, then of the decoder."""
        decoder = self.model.decoder_layers if isinstance(self.model, TranslationModel) else 0
        return [
            Site(part, layer + 1)
            for part, layers in (("encoder", self.model.encoder_layers), ("decoder", decoder))
            for layer in range(layers)
        ]

    @property
    def layers(self) -> list[str]:
        """Their names."""
        return [f"{site.part} {site.layer}" for site in self.sites]

    def signature(self, data: dict[str, str]) -> RunSignature:
        """What decides the numbers of a run.

        Args:
            data: Role of each input -> fingerprint of its lines.

        Returns:
            The signature.
        """
        method = self.method
        settings = {
            "rate": method.rate,
            "scaling": method.scaling,
            "regularization": method.regularization,
            "products": method.products,
            "steps": method.steps,
            "pairs": method.pairs,
            "repetitions": self.repetitions,
            "statistics": self.statistics.text,  # not the figures: another number of threads rounds them otherwise
            "words": self.model.words_by,
        }
        return RunSignature("retain", self.model.name, self.model.fingerprint, data, settings, method.seed)

    def chunk(
        self, start: int, sources: Sequence[str], targets: Sequence[str] | None = None
    ) -> list[SentenceRetention]:
        """Measures consecutive lines.

        Args:
            start: Number of the first line.
            sources: The lines.
            targets: Translations to force; None: a translation model translates.

        Returns:
            One object a line, in order.
        """
        lines = [SentenceRetention(start + index, storable(source)) for index, source in enumerate(sources)]
        read = read_pairs(self.model, sources, targets)
        translations = read.targets
        if translations is None and isinstance(self.model, TranslationModel):
            translations = own_translations(self.model, read.sources, self.batch_size)
        bits = self._bits(read.sources, translations)
        for place, (index, source) in enumerate(zip(read.indices, read.sources, strict=True)):
            translation = "" if translations is None else translations[place].text
            lines[index] = replace(lines[index], translation=translation, words=_words(source, bits[place]))
        return [replace(line, skipped=read.skipped.get(index)) for index, line in enumerate(lines)]

    def _bits(self, sources: list[Sentence], targets: list[Sentence] | None) -> list[np.ndarray]:
        """Bits of each sentence: repetitions x layers x words."""
        found: list[list[list[tuple[float, ...]]]] = [[] for _ in sources]
        for repetition in range(self.repetitions if sources else 0):
            by_layer = [
                replace(
                    self.method, part=site.part, layer=site.layer, statistics=self.statistics,
                    seed=self.method.seed + repetition,
                )(self.model, sources, targets, batch_size=self.batch_size)
                for site in self.sites
            ]  # fmt: skip
            for place, layers in enumerate(zip(*by_layer, strict=True)):
                found[place].append([attribution.word_scores for attribution in layers])
        return [np.array(one) for one in found]


def _words(sentence: Sentence, bits: np.ndarray) -> tuple[WordRetention, ...]:
    mean, noise = bits.mean(0), bits.std(0, ddof=1 if len(bits) > 1 else 0)
    kinds = zip(sentence.words, word_classes(sentence), frequency_bands(sentence), strict=True)
    return tuple(
        WordRetention(
            text=word.text,
            start=word.start,
            end=word.end,
            word_class=word_class,
            frequency=band,
            pos=word.pos,
            bits=tuple(round(value, DIGITS) for value in mean[:, place].tolist()),
            noise_bits=tuple(round(value, DIGITS) for value in noise[:, place].tolist()),
        )
        for place, (word, word_class, band) in enumerate(kinds)
    )


def study_of(
    model: EncoderModel, lines: Sequence[str], method: Sigma | None = None, repetitions: int = 2, batch_size: int = 32
) -> RetentionStudy:
    """The study of a model on given lines.

    Args:
        model: Any model.
        lines: The corpus; where fewer than `MIN_LINES` of its first lines can be read, the package's own sentences
            give the statistics.
        method: Search for the noise.
        repetitions: Number of searches with other noise.
        batch_size: Does not affect results beyond rounding.

    Returns:
        The study.
    """
    own = [source.text for source in readable_sentences(model, lines[:CORPUS_LINES])]
    statistics = statistics_for(model, own if len(own) >= MIN_LINES else None, decoder=True)
    return RetentionStudy(model, statistics, method or RetentionStudy.method, repetitions, batch_size)
