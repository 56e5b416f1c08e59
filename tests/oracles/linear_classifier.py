"""A linear classifier, of which the optimal gates of words are known."""

import torch

from nmt_ib.types import Sentence, TokenBatch, Word


class Linear:
    """Two classes; the second one's score is a linear function of the states, the first one's is 0.

    Attributes:
        weights: What each position, or every one, adds to the score (S or 1, D).
        states: Embedding of each piece (V, D).
    """

    name, encoder_layers, max_source_pieces, pad_id, unknown_id = "linear", 0, 9, 0, 1
    labels, fingerprint, words_by = ("no", "yes"), "linear", "nothing"

    def __init__(self, weights, states):
        self.weights, self.states = weights.double(), states.double()

    def tokenize_source(self, text):
        """Reads "3 0 1" as the pieces 3, 0 and 1, each a word."""
        pieces = text.split()
        words = tuple(Word(piece, 2 * place, 2 * place + 1) for place, piece in enumerate(pieces))
        return Sentence(text, tuple(map(int, pieces)), tuple(pieces), tuple(range(len(pieces))), words=words)

    def pad(self, sentences):
        return TokenBatch.pad(sentences, self.pad_id)

    def embed(self, ids):
        return self.states[ids]

    def encode(self, states, mask, from_layer=0, to_layer=None):
        return states

    def encoder_states(self, embeddings, mask):
        return ()

    def classify(self, states, mask, from_layer=0):
        yes = (states * self.weights * mask[..., None]).sum((1, 2))
        return torch.stack([torch.zeros_like(yes), yes], dim=1)

    def pooled(self, states, mask, from_layer=0):
        return states.sum(1)
