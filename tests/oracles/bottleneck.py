"""The bottleneck, slowly: one sentence, one target token, one noise draw at a time."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from nmt_ib.seeding import sentence_generator


@dataclass
class Slow:
    """One search.

    Attributes:
        method: Settings.
        model: The model.
        statistics: What closed gates let out.
        source: The sentence.
        target: Its translation, or its label.
        token: Target token that is explained; None: all of them, or the label.
    """

    method: object
    model: object
    statistics: object
    source: object
    target: object
    token: int | None = None

    def nats(self, states: Tensor, prior: object, alpha: Tensor) -> Tensor:
        through = alpha.sigmoid()
        passed = Normal(through * states + (1 - through) * prior.mean, (1 - through) * prior.std)
        return kl_divergence(passed, Normal(prior.mean, prior.std)).sum()

    def logprob(self, states: Tensor, prefix: Tensor | None) -> Tensor:
        mask, layer = torch.ones(1, len(states), dtype=torch.bool), self.method.layer
        if isinstance(self.target, int):
            return self.model.classify(states[None], mask, layer)[0].log_softmax(0)[self.target]
        ids = torch.tensor([self.target.ids])
        encoded = self.model.encode(states[None], mask, layer)
        scores = self.model.logits(self.model.decode(encoded, mask, ids, inputs=prefix[None]).states)[0].log_softmax(1)
        chosen = scores[range(len(self.target)), self.target.ids]
        return chosen.sum() if self.token is None else chosen[self.token]

    def run(self) -> tuple[list[float], list[float]]:
        """Bits of each piece of the source, and of each token of the prefix as the decoder has read it."""
        ids, mask = torch.tensor([self.source.ids]), torch.ones(1, len(self.source), dtype=torch.bool)
        states = self.model.encode(self.model.embed(ids), mask, to_layer=self.method.layer)[0].detach()
        words = [place for place, word in enumerate(self.source.word_index) if word >= 0]
        sides = [(states, self.statistics.layer(self.method.layer), words, list(self.source.word_index))]
        prefix = None
        if not isinstance(self.target, int):
            prefix = self.model.embed_target(torch.tensor([self.target.ids]))[0].detach()
            read = list(range(1, self.token + 1)) if self.token is not None else []
            sides.append((prefix, self.statistics.parts.get("decoder.0"), read, list(range(len(prefix)))))
        width = states.shape[1]
        gates = [
            torch.full((1 + max(index), width if self.method.per == "dimension" else 1), 5.0, dtype=states.dtype)
            for _, _, _, index in sides
        ]
        optimizer = torch.optim.Adam([gate.requires_grad_() for gate in gates], self.method.learning_rate)
        generator = sentence_generator(self.method.seed, self.source.text)
        for _ in range(self.method.steps):
            drawn = [
                torch.randn(self.method.draws // 2, len(places), width, generator=generator)
                for _, _, places, _ in sides
            ]
            loss = torch.zeros((), dtype=states.dtype)
            for sign in (1, -1):
                for draw in range(self.method.draws // 2):
                    disturbed = [side[0].clone() for side in sides]
                    for part, (given, prior, places, index) in enumerate(sides):
                        for number, place in enumerate(places):
                            through = gates[part][index[place]].sigmoid()
                            noise = prior.mean + prior.std * sign * drawn[part][draw, number].to(given)
                            disturbed[part][place] = through * given[place] + (1 - through) * noise
                    loss = loss - self.logprob(disturbed[0], disturbed[1] if prefix is not None else None)
            loss = loss / self.method.draws
            count = sum(len(side[2]) for side in sides)
            for part, (given, prior, places, index) in enumerate(sides):
                for place in places:
                    price = self.method.beta / width / (count if self.method.normalization == "mean" else 1)
                    loss = loss + price * self.nats(given[place], prior, gates[part][index[place]])
            for gate, gradient in zip(gates, torch.autograd.grad(loss, gates, allow_unused=True), strict=True):
                gate.grad = gradient
            optimizer.step()
        bits = []
        for part, (given, prior, places, index) in enumerate(sides):
            worth = [0.0] * len(given)
            for place in places:
                worth[place] = float(self.nats(given[place], prior, gates[part][index[place]].detach())) / math.log(2)
            bits.append(worth)
        return bits[0], bits[1] if len(bits) > 1 else []
