"""States of a transformer's layers at each word or token, with labels of the words, their neighbours and the output."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.batching import length_buckets
from nmt_ib.data.conllu import read_conllu
from nmt_ib.data.text import read_lines
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import read_source, readable_sentences
from nmt_ib.studies.planes.word_labels import (
    EDGE,
    OUTPUT,
    UNKNOWN,
    WORD,
    aligned_pieces,
    corrected_information,
    first_pieces,
    words_around,
)
from nmt_ib.types import Sentence, Target

ALIGNED = "output of decoder"  # label of a candidate alignment
BUCKETS = 16  # batches among which sentences are sorted by length


@dataclass
class LayerStates:
    """States of each layer of the encoder, or of the decoder, with their labels.

    Attributes:
        part: "encoder" or "decoder".
        max_states: Maximum number of states, from the start of the text.
        batches: For each layer its states, batch by batch.
        labels: For each kind of label the label of each state.
        count: Number of states so far.
    """

    part: str
    max_states: int
    batches: list[list[Float[Tensor, "N D"]]] = field(default_factory=list)
    labels: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    @property
    def full(self) -> bool:
        """Whether the maximum is reached."""
        return self.count >= self.max_states

    def add(self, layers: Sequence[Float[Tensor, "N D"]], labels: dict[str, list[str]]) -> None:
        """Adds states up to the maximum.

        Args:
            layers: States of each layer; row i of each is at the same position.
            labels: For each kind of label the label of each row.
        """
        room = max(0, self.max_states - self.count)
        self.batches = self.batches or [[] for _ in layers]
        for stored, states in zip(self.batches, layers, strict=True):
            stored.append(states[:room].half())  # half of the memory, without an effect on clusters
        for kind, values in labels.items():
            self.labels.setdefault(kind, []).extend(values[:room])
        self.count += min(room, len(layers[0]))

    def layers(self) -> Iterator[tuple[str, Float[np.ndarray, "N D"]]]:
        """Name and states of each layer; "encoder 0" is the embeddings."""
        for number, stored in enumerate(self.batches, start=self.part == "decoder"):
            yield f"{self.part} {number}", torch.cat(stored).float().numpy()


def gather_states(
    model: EncoderModel,
    sources: Sequence[Sentence],
    targets: Sequence[Target] | None = None,
    *,
    tokens: int,
    batch_size: int = 32,
) -> tuple[LayerStates, LayerStates]:
    """States of the encoder and of the decoder with their labels.

    Encoder states are those of the first piece of each word. The output of a word is the target piece aligned with it
    by cross-attention, or the label of its sentence. Models differ in the decoder layer that aligns best, and in
    whether it aligns the input or the output piece of a step: the alignment with the highest chance-corrected
    information about the words is used. Decoder states are those from which target pieces are predicted; their word is
    the input piece.

    Args:
        model: An encoder, a classifier or a translation model.
        sources: Tokenised sentences.
        targets: Translations for a translation model, labels for a classifier.
        tokens: Maximum number of states of each, from the start of the text.
        batch_size: Sentences that go through the model at once; does not affect results beyond rounding.

    Returns:
        States of the encoder, and of the decoder, which has none without translations.
    """
    encoder, decoder = LayerStates("encoder", tokens), LayerStates("decoder", tokens)
    for batch in _batches(sources, batch_size):
        batch_targets = None if targets is None else [targets[index] for index in batch]
        _add_batch(model, [sources[index] for index in batch], batch_targets, encoder, decoder)
        if encoder.full and (decoder.full or not decoder.batches):
            break
    _choose_alignment(encoder)
    return encoder, decoder


@torch.inference_mode()
def _add_batch(
    model: EncoderModel,
    sources: Sequence[Sentence],
    targets: Sequence[Target] | None,
    encoder: LayerStates,
    decoder: LayerStates,
) -> None:
    batch = model.pad(sources)
    embedded = model.embed(batch.ids)
    layers = model.encoder_states(embedded, batch.mask)
    pieces_of = [first_pieces(source) for source in sources]
    rows = torch.tensor([row for row, pieces in enumerate(pieces_of) for _ in pieces])
    places = torch.tensor([piece for pieces in pieces_of for piece in pieces])
    labels = words_around(sources)
    if targets is not None and isinstance(model, TranslationModel):
        translations = cast(Sequence[Sentence], targets)
        forced = model.pad([Sentence(one.text, one.ids, one.pieces, one.word_index) for one in translations])
        decoded = model.decode(layers[-1], batch.mask, forced.ids, with_layers=True)
        for layer, attention in enumerate(decoded.cross_attentions, start=1):
            weights = attention.mean(1).cpu(), batch.word_index.cpu()
            for align_input in (True, False):
                pieces = aligned_pieces(*weights, sources, translations, align_input=align_input)
                labels[f"{ALIGNED} {layer} {align_input}"] = pieces
        mask = forced.mask.cpu()
        outputs = [piece for one in translations for piece in one.pieces]
        inputs = [piece for one in translations for piece in (EDGE, *one.pieces[:-1])]
        decoder.add([states.cpu()[mask] for states in decoded.layers], {WORD: inputs, OUTPUT: outputs})
    elif targets is not None:
        labels[OUTPUT] = [str(label) for source, label in zip(sources, targets, strict=True) for _ in source.words]
    encoder.add([states.cpu()[rows, places] for states in (embedded, *layers)], labels)


def _choose_alignment(encoder: LayerStates) -> None:
    """Replaces the candidate alignments by the one with the most information about the words."""
    candidates = [encoder.labels.pop(kind) for kind in tuple(encoder.labels) if kind.startswith(ALIGNED)]
    if candidates:
        words = encoder.labels[WORD]
        encoder.labels[OUTPUT] = max(candidates, key=lambda pieces: corrected_information(words, pieces))


def answers_anything(model: EncoderModel) -> bool:
    """Whether a model translates or classifies, so that `own_answers` applies to it."""
    return isinstance(model, (TranslationModel, Classifier))


def read_sources(model: EncoderModel, name: str, count: int | None = None) -> list[Sentence]:
    """The sentences of a text that a model can read.

    Args:
        model: The model.
        name: A text, one sentence a line, or a treebank (`.conllu`), which adds parts of speech.
        count: Maximum number of lines or trees, from the start.

    Returns:
        The sentences, without those that the model cannot read.
    """
    if not name.removesuffix(".gz").endswith(".conllu"):
        return readable_sentences(model, islice(read_lines(name), count))
    sources = []
    for tree in islice(read_conllu(name), count):
        source, reason = read_source(model, tree.text)
        if reason is None:
            upos = dict(zip(tree.spans, tree.upos, strict=True))
            words = tuple(replace(word, pos=upos.get((word.start, word.end), UNKNOWN)) for word in source.words)
            sources.append(replace(source, words=words))
    return sources


def _batches(sources: Sequence[Sentence], batch_size: int) -> Iterator[list[int]]:
    """Batches of similar length, roughly in the order of the text, so that the first tokens are the text's first."""
    for start in range(0, len(sources), batch_size * BUCKETS):
        pool = range(start, min(start + batch_size * BUCKETS, len(sources)))
        for bucket in length_buckets([len(sources[index]) for index in pool], batch_size):
            yield [pool[place] for place in bucket]
