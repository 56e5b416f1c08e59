"""A transformer in the information plane: what each layer tells of words, their neighbours and what is written."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.batching import length_buckets
from nmt_ib.data.conllu import read_conllu
from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError
from nmt_ib.info.clustering import clustered_information
from nmt_ib.info.discrete import discrete_entropy
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.results.transformer_plane import LayerKnowledge, TransformerPlane
from nmt_ib.studies.reading import read_source
from nmt_ib.types import Sentence

WORD, PREVIOUS, NEXT, POS, OUTPUT = "word", "previous word", "next word", "part of speech", "output"
UNKNOWN = ""  # a label that is not counted
EDGE = "<edge>"  # beside the first and the last word


@dataclass(frozen=True)
class TransformerPlaneStudy:
    """How layers are measured: clusters of their states are counted against labels.

    Attributes:
        clusters: k-means clusters of a layer's states.
        values: Most frequent values of a label that count; the rest is left out, because counting rare ones is biased.
        tokens: States at most, from the start of the text.
        seed: Of the clusters.
    """

    clusters: int = 100
    values: int = 300
    tokens: int = 50_000
    seed: int = 0

    def counts(self, model: EncoderModel) -> int:
        """How often `measure` advances, parts of speech included."""
        decoder = getattr(model, "decoder_layers", 0)
        return (model.encoder_layers + 1) * (4 + (decoder > 0)) + 2 * decoder

    def measure(
        self,
        model: EncoderModel,
        sources: Sequence[Sentence],
        targets: Sequence[Sentence] | None = None,
        *,
        batch_size: int = 32,
        advance: Callable[[int], object] = lambda _: None,
    ) -> TransformerPlane:
        """What each layer tells.

        The encoder's states are those of each word's first piece. What is written of a word is the target piece in
        whose favour the first decoder layer, when it reads that piece, looks most at the word. The decoder's states are
        those from which each target piece is written; their word is the piece just read.

        Args:
            model: An encoder, or a translation model.
            sources: Tokenised sentences.
            targets: Their translations, for a translation model.
            batch_size: Sentences at once; changes no result beyond rounding.
            advance: Called with the number of layers and labels just counted.

        Returns:
            A row for each layer and label.

        Raises:
            RequestError: There are too few words for the clusters.
        """
        encoder, decoder = self._gathered(model, sources, targets, batch_size)
        rows = []
        for name, states in (*encoder.layers(), *decoder.layers()):
            for about, labels in (encoder if name.startswith("encoder") else decoder).labels.items():
                rows += self._counted(name, about, states, np.array(labels))
                advance(1)
        return TransformerPlane(tuple(rows))

    def _gathered(
        self,
        model: EncoderModel,
        sources: Sequence[Sentence],
        targets: Sequence[Sentence] | None,
        batch_size: int,
    ) -> "tuple[_States, _States]":
        encoder, decoder = _States("encoder", self.tokens), _States("decoder", self.tokens)
        for bucket in batches(sources, batch_size):
            chosen = [sources[index] for index in bucket]
            written = None if targets is None else [targets[index] for index in bucket]
            _read(model, chosen, written, encoder, decoder)
            if encoder.full and (targets is None or decoder.full):
                break
        return encoder, decoder

    def _counted(
        self, layer: str, about: str, states: Float[np.ndarray, "N D"], labels: np.ndarray
    ) -> list[LayerKnowledge]:
        common = [value for value, _ in Counter(labels[labels != UNKNOWN].tolist()).most_common(self.values)]
        counted = np.isin(labels, common)
        if len(common) < 2:
            return []
        if counted.sum() < 2 * self.clusters:
            raise RequestError(f"{counted.sum():,} states are too few for {self.clusters} clusters: give more text")
        found = clustered_information(states[counted], labels[counted], self.clusters, self.seed)
        return [
            LayerKnowledge(
                layer=layer,
                about=about,
                bits=found.nats * BITS_PER_NAT,
                error_bits=(found.error_nats or 0.0) * BITS_PER_NAT,
                shuffled_bits=found.settings["shuffled_nats"] * BITS_PER_NAT,
                entropy_bits=discrete_entropy(labels[counted]).nats * BITS_PER_NAT,
                samples=int(counted.sum()),
            )
        ]


@dataclass
class _States:
    """States of each layer with their labels, as many as are wanted."""

    part: str
    most: int
    parts: list[list[Float[Tensor, "N D"]]] = field(default_factory=list)
    labels: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    @property
    def full(self) -> bool:
        return self.count >= self.most

    def add(self, layers: Sequence[Float[Tensor, "N D"]], labels: dict[str, list[str]]) -> None:
        room = max(0, self.most - self.count)
        self.parts = self.parts or [[] for _ in layers]
        for kept, states in zip(self.parts, layers, strict=True):
            kept.append(states[:room].half())  # half of the memory; clusters do not see the difference
        for about, values in labels.items():
            self.labels.setdefault(about, []).extend(values[:room])
        self.count += min(room, len(layers[0]))

    def layers(self) -> Iterator[tuple[str, Float[np.ndarray, "N D"]]]:
        for number, kept in enumerate(self.parts, start=self.part == "decoder"):
            yield f"{self.part} {number}", torch.cat(kept).float().numpy()


@torch.inference_mode()
def _read(
    model: EncoderModel,
    sources: Sequence[Sentence],
    targets: Sequence[Sentence] | None,
    encoder: _States,
    decoder: _States,
) -> None:
    """Adds the states of some sentences."""
    batch = model.pad(sources)
    embedded = model.embed(batch.ids)
    layers = model.encoder_states(embedded, batch.mask)
    first = [first_pieces(source) for source in sources]
    rows = torch.tensor([row for row, pieces in enumerate(first) for _ in pieces])
    places = torch.tensor([piece for pieces in first for piece in pieces])
    labels = words_around(sources)
    if targets is not None and isinstance(model, TranslationModel):
        forced = model.pad([Sentence(one.text, one.ids, one.pieces, one.word_index) for one in targets])
        decoded = model.decode(layers[-1], batch.mask, forced.ids, with_layers=True)
        labels[OUTPUT] = aligned(decoded.cross_attentions[0].mean(1).cpu(), batch.word_index.cpu(), sources, targets)
        real = forced.mask.cpu()
        pieces = [piece for one in targets for piece in one.pieces]
        read = [piece for one in targets for piece in (EDGE, *one.pieces[:-1])]
        decoder.add([states.cpu()[real] for states in decoded.layers], {WORD: read, OUTPUT: pieces})
    encoder.add([states.cpu()[rows, places] for states in (embedded, *layers)], labels)


def readable_sources(model: EncoderModel, name: str, count: int | None = None) -> list[Sentence]:
    """The sentences of a text that a model can read.

    Args:
        model: The model.
        name: A text, one sentence a line, or a treebank (`.conllu`), whose words bring their parts of speech.
        count: Only the first so many lines or trees.

    Returns:
        The sentences; those that the model cannot read are left out.
    """
    if not name.removesuffix(".gz").endswith(".conllu"):
        found = [read_source(model, text) for text in islice(read_lines(name), count)]
        return [source for source, reason in found if reason is None]
    sources = []
    for tree in islice(read_conllu(name), count):
        source, reason = read_source(model, tree.text)
        if reason is None:
            upos = dict(zip(tree.spans, tree.upos, strict=True))
            words = tuple(replace(word, pos=upos.get((word.start, word.end), UNKNOWN)) for word in source.words)
            sources.append(replace(source, words=words))
    return sources


def words_around(sources: Sequence[Sentence]) -> dict[str, list[str]]:
    """Labels of all words of some sentences, one sentence after the other.

    Args:
        sources: The sentences.

    Returns:
        Word, previous and next word in lower case, and part of speech where somebody knows it.
    """
    found: dict[str, list[str]] = {WORD: [], PREVIOUS: [], NEXT: [], POS: []}
    for source in sources:
        words = [word.text.lower() for word in source.words]
        found[WORD] += words
        found[PREVIOUS] += [EDGE, *words[:-1]] if words else []
        found[NEXT] += [*words[1:], EDGE] if words else []
        found[POS] += [word.pos or UNKNOWN for word in source.words]
    return found


def first_pieces(source: Sentence) -> list[int]:
    """Where each word's first piece is."""
    return [source.word_index.index(word) for word in range(len(source.words))]


def aligned(
    attention: Float[Tensor, "B T S"],
    word_index: Int[Tensor, "B S"],
    sources: Sequence[Sentence],
    targets: Sequence[Sentence],
) -> list[str]:
    """The target piece that each word becomes: whose reading the attention answers with a look at the word.

    Args:
        attention: From the position that reads target piece t - 1 (row t) to each source piece.
        word_index: Word of each source piece.
        sources: The sentences.
        targets: Their translations.

    Returns:
        A piece a word, one sentence after the other; "" where no piece was read.
    """
    found = []
    for weights, index, source, target in zip(attention, word_index, sources, targets, strict=True):
        looks = weights[1 : len(target)]  # what reads each piece but `</s>`
        for word in range(len(source.words)):
            places = index == word
            found.append(target.pieces[int(looks[:, places].sum(1).argmax())] if len(looks) else UNKNOWN)
    return found


def batches(sources: Sequence[Sentence], batch_size: int) -> Iterator[list[int]]:
    """Batches in the text's order, so that the first tokens are the text's first."""
    for start in range(0, len(sources), batch_size * 16):
        pool = range(start, min(start + batch_size * 16, len(sources)))
        for bucket in length_buckets([len(sources[index]) for index in pool], batch_size):
            yield [pool[place] for place in bucket]
