"""States of a transformer's layers with what they may tell of: words, their neighbours, what is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.batching import length_buckets
from nmt_ib.data.conllu import read_conllu
from nmt_ib.data.text import read_lines
from nmt_ib.info.discrete import discrete_information
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import read_source, readable_sentences
from nmt_ib.types import Sentence, Target

WORD, PREVIOUS, NEXT, POS, OUTPUT = "word", "previous word", "next word", "part of speech", "output"
ALIGNED = "output of decoder"  # with its number, and whether it reads
UNKNOWN = ""  # a label that is not counted
EDGE = "<edge>"  # beside the first and the last word


@dataclass
class LayerStates:
    """States of each layer of the encoder, or of the decoder, with their labels.

    Attributes:
        part: "encoder" or "decoder".
        most: States that are kept, from the start of the text.
        parts: Layer -> its states, batch after batch.
        labels: What is asked about -> the label of each state.
        count: States so far.
    """

    part: str
    most: int
    parts: list[list[Float[Tensor, "N D"]]] = field(default_factory=list)
    labels: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        return self.count >= self.most

    def add(self, layers: Sequence[Float[Tensor, "N D"]], labels: dict[str, list[str]]) -> None:
        """Keeps what there is room for.

        Args:
            layers: States of each layer, row by row at the same place.
            labels: What is asked about -> the label of each row.
        """
        room = max(0, self.most - self.count)
        self.parts = self.parts or [[] for _ in layers]
        for kept, states in zip(self.parts, layers, strict=True):
            kept.append(states[:room].half())  # half of the memory; clusters do not see the difference
        for about, values in labels.items():
            self.labels.setdefault(about, []).extend(values[:room])
        self.count += min(room, len(layers[0]))

    def layers(self) -> Iterator[tuple[str, Float[np.ndarray, "N D"]]]:
        """Name and states of each layer: encoder 0 are the embeddings."""
        for number, kept in enumerate(self.parts, start=self.part == "decoder"):
            yield f"{self.part} {number}", torch.cat(kept).float().numpy()


def gathered_states(
    model: EncoderModel,
    sources: Sequence[Sentence],
    targets: Sequence[Target] | None = None,
    *,
    tokens: int,
    batch_size: int = 32,
) -> tuple[LayerStates, LayerStates]:
    """States of the encoder and of the decoder.

    The encoder's states are those of each word's first piece. The output that belongs to a word is the target piece at
    which a decoder layer looks most at the word, or the label of its sentence. Models differ in which layer does so,
    and in whether it does when it reads the piece or when it writes it: what tells most of the words is taken. The
    decoder's states are those from which each target piece is written; their word is the piece just read.

    Args:
        model: An encoder, or a translation model.
        sources: Tokenised sentences.
        targets: Their translations, for a translation model, or their labels.
        tokens: States of each at most, from the start of the text.
        batch_size: Sentences at once; changes no result beyond rounding.

    Returns:
        Both; the decoder has none without translations.
    """
    encoder, decoder = LayerStates("encoder", tokens), LayerStates("decoder", tokens)
    for bucket in batches(sources, batch_size):
        chosen = [sources[index] for index in bucket]
        written = None if targets is None else [targets[index] for index in bucket]
        _read(model, chosen, written, encoder, decoder)
        if encoder.full and (decoder.full or not decoder.parts):
            break
    _choose_alignment(encoder)
    return encoder, decoder


@torch.inference_mode()
def _read(
    model: EncoderModel,
    sources: Sequence[Sentence],
    targets: Sequence[Target] | None,
    encoder: LayerStates,
    decoder: LayerStates,
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
        written = cast(Sequence[Sentence], targets)
        forced = model.pad([Sentence(one.text, one.ids, one.pieces, one.word_index) for one in written])
        decoded = model.decode(layers[-1], batch.mask, forced.ids, with_layers=True)
        for layer, attention in enumerate(decoded.cross_attentions, start=1):
            for reads in (True, False):
                looks = attention.mean(1).cpu(), batch.word_index.cpu()
                labels[f"{ALIGNED} {layer} {reads}"] = aligned(*looks, sources, written, reads=reads)
        real = forced.mask.cpu()
        pieces = [piece for one in written for piece in one.pieces]
        read = [piece for one in written for piece in (EDGE, *one.pieces[:-1])]
        decoder.add([states.cpu()[real] for states in decoded.layers], {WORD: read, OUTPUT: pieces})
    elif targets is not None:
        labels[OUTPUT] = [str(label) for source, label in zip(sources, targets, strict=True) for _ in source.words]
    encoder.add([states.cpu()[rows, places] for states in (embedded, *layers)], labels)


def _choose_alignment(encoder: LayerStates) -> None:
    """Keeps the pieces of one decoder layer, read or written, as what belongs to the words."""
    found = {about: encoder.labels.pop(about) for about in tuple(encoder.labels) if about.startswith(ALIGNED)}
    if found:
        encoder.labels[OUTPUT] = max(found.values(), key=lambda pieces: _told(encoder.labels[WORD], pieces))


def _told(words: list[str], pieces: list[str]) -> float:
    """I(word; piece) in nats, what chance gives taken off: layers differ in how many pieces they tell apart."""
    shuffled_pairs = np.random.default_rng(0).permutation(pieces)
    found = (discrete_information(np.array(words), np.array(other)) for other in (pieces, shuffled_pairs))
    return next(found).nats - next(found).nats


def answers_anything(model: EncoderModel) -> bool:
    """Whether a model translates or classifies, so that `own_answers` has something to say."""
    return isinstance(model, (TranslationModel, Classifier))


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
        return readable_sentences(model, islice(read_lines(name), count))
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
    *,
    reads: bool,
) -> list[str]:
    """The target piece that each word becomes: where the attention looks most at the word.

    Args:
        attention: From the position that writes target piece t and has just read t - 1 (row t) to each source piece.
        word_index: Word of each source piece.
        sources: The sentences.
        targets: Their translations.
        reads: Whether a look belongs to the piece just read, or to the one that is written.

    Returns:
        A piece a word, one sentence after the other; "" where there is no piece.
    """
    found = []
    for weights, index, source, target in zip(attention, word_index, sources, targets, strict=True):
        looks = weights[1 : len(target)] if reads else weights[: len(target) - 1]  # a row for each piece but `</s>`
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
