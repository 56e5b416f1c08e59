"""What embeddings and states look like over a corpus: the prior of noise, and the scale of differences."""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.answers import own_translations
from nmt_ib.attribution.question import Translation
from nmt_ib.batching import length_buckets
from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import readable_sentences
from nmt_ib.types import Sentence, TokenBatch

CLOUD = 0.99  # share of the corpus' embeddings that the cloud holds
STD_FLOOR = 0.01  # of the median: a dimension that is constant over the corpus would make a scaled difference infinite


@dataclass(frozen=True)
class LayerStatistics:
    """Mean and standard deviation of each dimension over the pieces of words, special pieces and padding left out.

    Attributes:
        mean: Mean.
        std: Standard deviation, at least `STD_FLOOR` of the median over dimensions.
        floored: How many dimensions were raised to that.
    """

    mean: Float[Tensor, " D"]
    std: Float[Tensor, " D"]
    floored: int


@dataclass(frozen=True)
class CorpusStatistics:
    """Statistics of a model's embeddings and states over a corpus.

    Attributes:
        model: Fingerprint of the model.
        text: Fingerprint of the sentences.
        parts: "encoder.0" for the embeddings, "encoder.1" and so on for the layers' outputs; for a classifier "pooled"
            and "logits"; for a translation model "decoder.0" (what the decoder reads), "decoder.1" and so on, and
            "logits" (the log-probability of each token), where translations were given.
        radius: Squared distance from the embeddings' mean, each dimension in standard deviations, below which
            `CLOUD` of the corpus' own embeddings lie.
    """

    model: str
    text: str
    parts: dict[str, LayerStatistics]
    radius: float

    def layer(self, layer: int) -> LayerStatistics:
        """Of the embeddings (0), or of the output of an encoder layer."""
        return self.parts[f"encoder.{layer}"]

    def check(self, model: EncoderModel, *parts: str) -> None:
        """Refuses to be used for another model, or for what was not measured.

        Args:
            model: The model that is to be explained.
            *parts: Names in `parts` that are needed.

        Raises:
            RequestError: The figures belong to another model, or a part is missing.
        """
        if self.model != model.fingerprint:
            raise RequestError(f"the statistics given belong to another model than {model.name}")
        if missing := [part for part in parts if part not in self.parts]:
            raise RequestError(f"the statistics given lack {missing[0]}: measure them with translations, too")

    def save(self, path: Path) -> None:
        """Writes the figures as numpy arrays, without pickle.

        Args:
            path: File, `.npz`.
        """
        about = {"model": self.model, "text": self.text, "radius": self.radius}
        about["floored"] = {name: part.floored for name, part in self.parts.items()}
        arrays = {name: torch.stack([part.mean, part.std]).cpu().numpy() for name, part in self.parts.items()}
        np.savez(path, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type] # numpy's own stub

    @classmethod
    def load(cls, path: Path, model: EncoderModel) -> "CorpusStatistics":
        """Reads what `save` wrote.

        Args:
            path: The file.
            model: The model that is to be measured.

        Returns:
            The same figures.

        Raises:
            RequestError: They belong to another model.
        """
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about["model"] != model.fingerprint:
                raise RequestError(f"{path} holds the statistics of another model than {model.name}")
            device = model.pad([model.tokenize_source("a")]).ids.device
            parts = {
                name: LayerStatistics(mean, std, floored)
                for name, floored in about["floored"].items()
                for mean, std in [torch.from_numpy(file[name]).to(device)]
            }
        return cls(about["model"], about["text"], parts, about["radius"])


@torch.no_grad()
def measure_statistics(
    model: EncoderModel,
    sentences: Sequence[Sentence],
    targets: Sequence[Sentence] | None = None,
    *,
    batch_size: int = 32,
) -> CorpusStatistics:
    """Measures a model on a corpus.

    Args:
        model: The model.
        sentences: Tokenised sentences with at least two pieces of words between them.
        targets: Their translations, where the decoder is to be measured, too.
        batch_size: Sentences that go through the model at once; changes no result beyond rounding.

    Returns:
        The statistics.
    """
    running: dict[str, _Running] = defaultdict(_Running)
    buckets = length_buckets([len(sentence) for sentence in sentences], batch_size)
    for bucket in buckets:
        batch = model.pad([sentences[index] for index in bucket])
        for name, states, mask in _encoder_parts(model, batch):
            running[name].add(states, mask)
        if targets is not None and isinstance(model, TranslationModel):
            question = Translation(model, batch, model.pad([targets[index] for index in bucket]))
            for name, states in _decoder_parts(question):
                running[name].add(states, question.answers)
    parts = {name: values.result() for name, values in running.items()}
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
        one = torch.ones_like(words[:, :1])
        yield "pooled", model.pooled(embeddings, batch.mask)[:, None], one
        yield "logits", model.classify(embeddings, batch.mask)[:, None], one


def _decoder_parts(question: Translation) -> Iterator[tuple[str, Tensor]]:
    model, batch, targets = question.model, question.batch, question.targets
    embeddings = model.embed(batch.ids)
    layers = model.decode(model.encode(embeddings, batch.mask), batch.mask, targets.ids, with_layers=True).layers
    for layer, state in enumerate((question.prefix(), *layers)):
        yield f"decoder.{layer}", state
    yield "logits", question.logprobs(embeddings)[..., None]


def statistics_for(
    model: EncoderModel, lines: Iterable[str] | None = None, *, decoder: bool = False
) -> CorpusStatistics:
    """Statistics over a corpus of the user, or over the sentences that the package ships.

    Args:
        model: The model.
        lines: Sentences in its source language; None: the package's own, in Portuguese or English.
        decoder: Whether to measure the decoder, too, on the model's own translations.

    Returns:
        The statistics.

    Raises:
        RequestError: Fewer than two sentences can be used.
    """
    if lines is None:
        language = getattr(model, "source_language", None)
        lines = read_lines("builtin:sample-pt" if language == "pt" else "builtin:sample-en")
    sentences = readable_sentences(model, lines)
    if len(sentences) < 2:  # states of whole sentences would have no spread, and scaled differences no end
        raise RequestError("a corpus needs at least two sentences that the model can read, to say how states differ")
    targets = None
    if decoder and isinstance(model, TranslationModel):
        targets = own_translations(model, sentences)
    return measure_statistics(model, sentences, targets)


@torch.no_grad()
def vocabulary_statistics(model: TranslationModel) -> CorpusStatistics:
    """Statistics of the embedding table alone, where no corpus is at hand.

    Args:
        model: The model.

    Returns:
        "encoder.0" over the vocabulary, each piece once; no embedding is ever outside its cloud.
    """
    table = model.embedding_table()
    embeddings = LayerStatistics(table.mean(0), table.std(0), 0)
    return CorpusStatistics(model.fingerprint, "vocabulary", {"encoder.0": embeddings}, math.inf)


def distance_from_cloud(embeddings: Float[Tensor, "*B D"], cloud: LayerStatistics) -> Float[Tensor, " *B"]:
    """Squared distance from the corpus' mean, each dimension in standard deviations.

    Args:
        embeddings: Points.
        cloud: The corpus' embeddings.

    Returns:
        >= 0; about D for the corpus' own.
    """
    return ((embeddings - cloud.mean) / cloud.std).square().sum(-1)


class _Running:
    """Mean and variance of states that come batch by batch, in float64 (Chan et al. 1983)."""

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
