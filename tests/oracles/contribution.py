"""Contribution, slowly: one word of one sentence at a time, the whole softmax, by Hugging Face's own forward pass."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nmt_ib.types import Sentence
from tests.tiny_models import Tiny


@dataclass
class Slow:
    """One pair of a source and a target.

    Attributes:
        tiny: The model.
        source: The source.
        target: The target.
        scale: What the encoder multiplies its embeddings by where the embedding module does not (Marian: sqrt(width)).
    """

    tiny: Tiny
    source: Sentence
    target: Sentence
    scale: float = 1.0

    @property
    def words(self) -> list[list[int]]:
        """Positions of each word's pieces."""
        return [
            [place for place, index in enumerate(self.source.word_index) if index == word]
            for word in range(len(self.source.words))
        ]

    def log_softmax(self, **source: Tensor) -> Tensor:
        """Natural log-probabilities (T, V) at each target position."""
        network, tokenizer = self.tiny.model.model, self.tiny.model.tokenizer
        start = tokenizer.convert_tokens_to_ids(list(self.tiny.start))
        inputs = torch.tensor([[*start, *self.target.ids[:-1]]])
        logits = network(**source, decoder_input_ids=inputs, use_cache=False).logits[0, len(start) - 1 :]
        return logits.log_softmax(-1)

    def whole(self) -> Tensor:
        return self.log_softmax(input_ids=torch.tensor([self.source.ids]))

    def unknown(self, places: list[int]) -> Tensor:
        ids = torch.tensor([self.source.ids])
        ids[0, places] = self.tiny.model.tokenizer.unk_token_id
        return self.log_softmax(input_ids=ids)

    def delete(self, places: list[int]) -> Tensor:
        kept = [piece for place, piece in enumerate(self.source.ids) if place not in places]
        return self.log_softmax(input_ids=torch.tensor([kept]))

    def noise(self, places: list[int], drawn: Tensor) -> Tensor:
        embedding = self.tiny.model.model.get_encoder().get_input_embeddings()
        table = embedding(torch.arange(embedding.num_embeddings)) * self.scale
        states = embedding(torch.tensor([self.source.ids])) * self.scale
        states[0, places] = table.mean(0) + table.std(0) * drawn[places].to(table)
        return self.log_softmax(inputs_embeds=states)

    def of_target(self, log_softmax: Tensor) -> Tensor:
        """Log2-probability of each target piece."""
        return log_softmax[range(len(self.target)), self.target.ids] / math.log(2)

    def without(self, operator: str, places: list[int], noise: Tensor | None) -> list[Tensor]:
        """One pass, or one for each draw with each sign."""
        if operator == "noise":
            return [self.noise(places, drawn) for drawn in (*noise, *-noise)]
        return [getattr(self, operator)(places)]

    def matrix(self, operator: str, noise: Tensor | None = None) -> Tensor:
        """(W, T) bits."""
        whole = self.of_target(self.whole())
        rows = []
        for places in self.words:
            passes = [self.of_target(scores) for scores in self.without(operator, places, noise)]
            rows.append(whole - torch.stack(passes).mean(0))
        return torch.stack(rows)
