"""Measurement of corpus statistics: of given sentences, of the package's own, or of the embedding table."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.answers import own_translations
from nmt_ib.attribution.scoring import TranslationScorer
from nmt_ib.attribution.statistics import CLOUD, STD_FLOOR, CorpusStatistics, LayerStatistics, distance_from_cloud
from nmt_ib.batching import length_buckets
from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import readable_sentences
from nmt_ib.types import Sentence, TokenBatch


@torch.no_grad()
def measure_statistics(
    model: EncoderModel,
    sentences: Sequence[Sentence],
    targets: Sequence[Sentence] | None = None,
    *,
    batch_size: int = 32,
) -> CorpusStatistics:
    """Statistics of a model over given sentences.

    Args:
        model: The model.
        sentences: Tokenised sentences with at least two pieces of words between them.
        targets: Their translations, for statistics of the decoder; None: of the encoder only.
        batch_size: Number of sentences per forward pass; does not affect results beyond rounding.

    Returns:
        The statistics.
    """
    moments: dict[str, _Moments] = defaultdict(_Moments)
    buckets = length_buckets([len(sentence) for sentence in sentences], batch_size)
    for bucket in buckets:
        batch = model.pad([sentences[index] for index in bucket])
        for name, states, mask in _encoder_parts(model, batch):
            moments[name].add(states, mask)
        if targets is not None and isinstance(model, TranslationModel):
            scorer = TranslationScorer(model, batch, model.pad([targets[index] for index in bucket]))
            for name, states in _decoder_parts(scorer):
                moments[name].add(states, scorer.target_mask)
    parts = {name: values.result() for name, values in moments.items()}
    distances = []
    for bucket in buckets:
        batch = model.pad([sentences[index] for index in bucket])
        distances.append(distance_from_cloud(model.embed(batch.ids), parts["encoder.0"])[batch.word_index >= 0])
    text = hashlib.sha256("\n".join(sentence.text for sentence in sentences).encode()).hexdigest()[:16]
    return CorpusStatistics(model.fingerprint, text, parts, float(torch.cat(distances).quantile(CLOUD)))


def _encoder_parts(model: EncoderModel, batch: TokenBatch) -> Iterator[tuple[str, Tensor, Tensor]]:
    embeddings, words = model.embed(batch.ids), batch.word_index >= 0
    states = (embeddings, *model.encoder_states(embeddings, batch.mask))
    for layer, state in enumerate(states):
        yield f"encoder.{layer}", state, words
    if isinstance(model, Classifier):
        single = torch.ones_like(words[:, :1])
        yield "pooled", model.pooled(embeddings, batch.mask)[:, None], single
        yield "logits", model.classify(embeddings, batch.mask)[:, None], single


def _decoder_parts(scorer: TranslationScorer) -> Iterator[tuple[str, Tensor]]:
    model, batch, targets = scorer.model, scorer.batch, scorer.targets
    embeddings = model.embed(batch.ids)
    layers = model.decode(model.encode(embeddings, batch.mask), batch.mask, targets.ids, with_layers=True).layers
    for layer, state in enumerate((scorer.prefix_embeddings(), *layers)):
        yield f"decoder.{layer}", state
    yield "logits", scorer.logprobs(embeddings)[..., None]


def statistics_for(
    model: EncoderModel, lines: Iterable[str] | None = None, *, decoder: bool = False
) -> CorpusStatistics:
    """Statistics of a model over a corpus, or over the sentences that the package ships.

    Args:
        model: The model.
        lines: Sentences in its source language, of which unreadable ones are left out; None: the package's own, in
            Portuguese or English.
        decoder: Whether to include the decoder, on the model's own translations.

    Returns:
        The statistics.

    Raises:
        RequestError: Fewer than two sentences can be read.
    """
    if lines is None:
        language = getattr(model, "source_language", None)
        lines = read_lines("builtin:sample-pt" if language == "pt" else "builtin:sample-en")
    sentences = readable_sentences(model, lines)
    if len(sentences) < 2:  # the standard deviation of pooled states would be 0
        raise RequestError("a corpus needs at least two sentences that the model can read")
    targets = None
    if decoder and isinstance(model, TranslationModel):
        targets = own_translations(model, sentences)
    return measure_statistics(model, sentences, targets)


@torch.no_grad()
def vocabulary_statistics(model: TranslationModel) -> CorpusStatistics:
    """Statistics of the embedding table, which need no corpus.

    Args:
        model: The model.

    Returns:
        "encoder.0" over the vocabulary, each piece once; no embedding is outside the cloud.
    """
    table = model.embedding_table()
    embeddings = LayerStatistics(table.mean(0), table.std(0), 0)
    return CorpusStatistics(model.fingerprint, "vocabulary", {"encoder.0": embeddings}, math.inf)


class _Moments:
    """Running mean and variance over batches, in float64 (Chan et al. 1983)."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]) -> None:
        values = states[mask].double()
        count, mean = len(values), values.mean(0)
        squares = (values - mean).square().sum(0)
        if not self.count:
            self.count, self.mean, self.squares, self.dtype = count, mean, squares, states.dtype
            return
        total = self.count + count
        gap = mean - self.mean
        self.mean = self.mean + gap * (count / total)
        self.squares = self.squares + squares + gap.square() * (self.count * count / total)
        self.count = total

    def result(self) -> LayerStatistics:
        std = (self.squares / max(1, self.count - 1)).sqrt()
        floor = STD_FLOOR * std.median()
        return LayerStatistics(self.mean.to(self.dtype), std.clamp(min=floor).to(self.dtype), int((std < floor).sum()))
