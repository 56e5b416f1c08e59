"""What does each layer of the encoder and of the decoder still know about each word, in bits?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmt_ib.attribution.answers import own_translations
from nmt_ib.attribution.sigma import Sigma
from nmt_ib.attribution.sites import Site
from nmt_ib.attribution.statistics import CorpusStatistics, statistics_for
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.readability import read_pairs, readable_sentences, storable
from nmt_ib.results.diagnosis import DIGITS
from nmt_ib.results.retention import SentenceRetention, WordRetention
from nmt_ib.signature import RunSignature
from nmt_ib.types import Sentence
from nmt_ib.word_classes import frequency_bands, word_classes

CHUNK_LINES = 10  # lines that are measured as a whole: a run is resumed at a multiple of it
CORPUS_LINES = 300  # of the input, from which the prior and the scale of the states are taken
MIN_LINES = 50  # a shorter input is measured against the sentences that the package ships


@dataclass(frozen=True)
class RetentionStudy:
    """The study: a model, a measure and what it is compared with.

    Attributes:
        model: Any model.
        statistics: Of a corpus: prior of the embeddings, scale of the states.
        method: How noise is searched; its layer is not read. A few steps are enough where many words are averaged.
        repetitions: Searches with other noise, so that the method's own error can be told from differences.
        batch_size: Disturbed copies of sentences that go through the model at once; changes no result.
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
            are its scale.
        method: How noise is searched.
        repetitions: Searches with other noise.
        batch_size: Changes no result.

    Returns:
        The study.
    """
    own = [source.text for source in readable_sentences(model, lines[:CORPUS_LINES])]
    statistics = statistics_for(model, own if len(own) >= MIN_LINES else None, decoder=True)
    return RetentionStudy(model, statistics, method or RetentionStudy.method, repetitions, batch_size)
