"""Embedders: frozen word vectors from encoders, from translation models and from ELMo."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import sha256

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from nmt_ib.errors import RequestError
from nmt_ib.models.elmo import SENTENCE_END, SENTENCE_START, BidirectionalLanguageModel, Characters, character_ids
from nmt_ib.models.encoder import HuggingFaceEncoder
from nmt_ib.models.fingerprints import fingerprint_of
from nmt_ib.models.seq2seq import Seq2SeqModel
from nmt_ib.models.subwords import read_pieces
from nmt_ib.models.windows import Window, pieces_of_words, windows, word_spans
from nmt_ib.types import Sentence

# Pooling -> range of the pieces of a word whose states are averaged.
POOLINGS = {
    "first": lambda first, last: (first, first + 1),
    "mean": lambda first, last: (first, last),
    "last": lambda first, last: (last - 1, last),
}
WORD_MARK = "\u2581"  # SentencePiece's symbol for a space
BOUNDARIES = ((SENTENCE_START,), (SENTENCE_END,))


def check_layers(name: str, count: int, layers: Sequence[int]) -> None:
    """Raises RequestError if an embedder lacks a requested layer.

    Args:
        name: Name of the embedder.
        count: Number of its layers, including layer 0.
        layers: Requested layers.

    Raises:
        RequestError: A layer does not exist, or none was requested.
    """
    if not layers:
        raise RequestError(f"no layer was requested; {name} has {count}, 0 to {count - 1}")
    for layer in layers:
        if not 0 <= layer < count:
            raise RequestError(f"{name} has no layer {layer}: it has {count}, 0 (context-free) to {count - 1}")


class TransformerEmbedder:
    """Word vectors from a BERT-like encoder or from the encoder of a translation model.

    Words are joined by single spaces. A piece with characters of two words belongs to both of them; a word without any
    piece (zero-width characters) is read as one unknown piece. Special pieces are read but never pooled. A sentence
    longer than the maximum input length is read in non-overlapping windows, cut between words.

    Layer 0 is the input of the first layer: for BERT-like encoders it includes positions, for translation models not.

    Args:
        model: The model.
        pooling: Which pieces of a word make its vector: `first`, `mean` or `last`.

    Attributes:
        name: Name that the user gave.
        layers: Number of layers, including layer 0.
        width: Width of a vector.

    Raises:
        RequestError: There is no such pooling.
    """

    def __init__(self, model: HuggingFaceEncoder | Seq2SeqModel, pooling: str = "first") -> None:
        if pooling not in POOLINGS:
            raise RequestError(f"there is no pooling {pooling!r}; choose one of {', '.join(POOLINGS)}")
        self.model, self.pooling = model, pooling
        self.name, self.layers = model.name, model.encoder_layers + 1
        mark = model.tokenizer.convert_tokens_to_ids(WORD_MARK)
        self._mark = None if mark == model.unknown_id else mark
        probe = model.tokenize_source("a")
        inside = [place for place, word in enumerate(probe.word_index) if word >= 0]
        self._around = (probe.ids[: inside[0]], probe.ids[inside[-1] + 1 :])
        with torch.no_grad():
            self.width = model.embed(torch.tensor([[model.unknown_id]], device=model.device)).shape[2]

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of a hash of the model's fingerprint and the pooling."""
        return sha256(repr((self.model.fingerprint, self.pooling)).encode()).hexdigest()[:16]

    @torch.no_grad()
    def vectors(self, sentences: Sequence[Sequence[str]], layers: Sequence[int]) -> list[Float[Tensor, "L W D"]]:
        """Vectors of the words of each sentence.

        Args:
            sentences: The words of each sentence; all are read as one batch.
            layers: 0 to the number of encoder layers.

        Returns:
            One tensor per sentence, on the model's device.
        """
        check_layers(self.name, self.layers, layers)
        read = [window for words in sentences for window in self._windows(words)]
        if not read:
            pooled = next(self.model.model.parameters()).new_zeros(len(layers), 0, self.width)
        else:
            states = self._states([window.ids for window in read], layers)
            pooled = torch.stack([_pool(states[layer], read, self.pooling) for layer in layers])
        return list(pooled.split([len(words) for words in sentences], dim=1))

    def types(self, words: Sequence[str]) -> Float[Tensor, "V D"]:
        """The context-free vector of each word.

        Args:
            words: At least one; each is read alone, at the same position.

        Returns:
            Their vectors in layer 0.
        """
        return torch.cat([vectors[0] for vectors in self.vectors([[word] for word in words], [0])])

    def _windows(self, words: Sequence[str]) -> list[Window]:
        pieces = read_pieces(self.model.tokenizer, " ".join(words))
        # Fast tokenizers give a lone space symbol before the first word the span of that word's first character.
        pieces = [replace(piece, end=piece.start) if piece.id == self._mark else piece for piece in pieces]
        ids, ranges = pieces_of_words(pieces, word_spans(words), self.model.unknown_id)
        return list(windows(ids, ranges, self._around, self.model.max_source_pieces))

    def _states(self, rows: Sequence[tuple[int, ...]], layers: Sequence[int]) -> dict[int, Tensor]:
        batch = self.model.pad([Sentence("", ids, (), (-1,) * len(ids)) for ids in rows])
        embeddings, top = self.model.embed(batch.ids), max(layers)
        if set(layers) <= {0, top}:  # layers above `top` need not run
            return {0: embeddings, top: self.model.encode(embeddings, batch.mask, 0, top)}
        return dict(enumerate((embeddings, *self.model.encoder_states(embeddings, batch.mask))))


def _pool(states: Float[Tensor, "R S D"], read: Sequence[Window], pooling: str) -> Float[Tensor, "W D"]:
    """Vectors of all words of all windows, in order."""
    length, ranges = states.shape[1], []
    for row, window in enumerate(read):
        for first, last in (POOLINGS[pooling](*word) for word in window.words):
            ranges.append((row * length + first, row * length + last))
    places = [place for first, last in ranges for place in range(first, last)]
    counts = torch.tensor([last - first for first, last in ranges], device=states.device)
    words = torch.repeat_interleave(counts)
    pieces = states.flatten(0, 1)[torch.tensor(places, device=states.device)]
    return states.new_zeros(len(ranges), states.shape[2]).index_add(0, words, pieces) / counts[:, None]


class ElmoEmbedder:
    """Word vectors from ELMo, each sentence read by itself between its start and its end.

    Differs from the original implementation, whose LSTMs start each batch from the final state of the previous one, so
    that vectors depend on the order of the sentences.

    Layer 0 is the output of the character encoder, repeated twice to be as wide as the other layers.

    Args:
        model: The network.
        name: Name that the user gave.

    Attributes:
        name: Name that the user gave.
        layers: Number of layers, including layer 0.
        width: Width of a vector.
    """

    def __init__(self, model: BidirectionalLanguageModel, *, name: str) -> None:
        self.model, self.name = model.eval(), name
        self.layers, self.width = len(model.layers) + 1, 2 * model.shape.projection

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all weights and settings."""
        return fingerprint_of(self.model, (self.model.shape,))

    @torch.no_grad()
    def vectors(self, sentences: Sequence[Sequence[str]], layers: Sequence[int]) -> list[Float[Tensor, "L W D"]]:
        """Vectors of the words of each sentence.

        Args:
            sentences: The words of each sentence; all are read as one batch.
            layers: 0 to the number of LSTM layers.

        Returns:
            One tensor per sentence, on the model's device.
        """
        check_layers(self.name, self.layers, layers)
        if not sentences:
            return []
        spelled: list[list[Characters]] = [[BOUNDARIES[0], *map(_bytes, words), BOUNDARIES[1]] for words in sentences]
        forms = {form: row for row, form in enumerate(dict.fromkeys(form for row in spelled for form in row))}
        table = self._tokens(list(forms))
        rows = [torch.tensor([forms[form] for form in row], device=table.device) for row in spelled]
        mask = pad_sequence([torch.ones_like(row, dtype=torch.bool) for row in rows], batch_first=True)
        tokens = table[pad_sequence(rows, batch_first=True)]
        states, _ = self.model(tokens, mask, top=max(layers))
        chosen = torch.stack([states[layer] for layer in layers], dim=1)
        return [chosen[row, :, 1 : 1 + len(words)] for row, words in enumerate(sentences)]

    @torch.no_grad()
    def types(self, words: Sequence[str]) -> Float[Tensor, "V D"]:
        """The context-free vector of each word.

        Args:
            words: At least one.

        Returns:
            Their vectors in layer 0.
        """
        tokens = self._tokens([_bytes(word) for word in words])
        return torch.cat([tokens, tokens], dim=1)

    def _tokens(self, words: Sequence[Characters]) -> Float[Tensor, "V E"]:
        ids = character_ids(words, self.model.shape.max_characters)
        return self.model.characters(ids.to(next(self.model.parameters()).device))


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "ignore")  # lone surrogates have no UTF-8 encoding
