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

    def sides(self) -> list[tuple]:
        """States, prior, perturbed positions and number of each position's gate: of the source, and of the prefix."""
        ids, mask = torch.tensor([self.source.ids]), torch.ones(1, len(self.source), dtype=torch.bool)
        states = self.model.encode(self.model.embed(ids), mask, to_layer=self.method.layer)[0].detach()
        words = [place for place, word in enumerate(self.source.word_index) if word >= 0]
        found = [(states, self.statistics.layer(self.method.layer), words, list(self.source.word_index))]
        if not isinstance(self.target, int):
            prefix = self.model.embed_target(torch.tensor([self.target.ids]))[0].detach()
            read = list(range(1, self.token + 1)) if self.token is not None else []
            found.append((prefix, self.statistics.parts.get("decoder.0"), read, list(range(len(prefix)))))
        return found

    def perturbed(self, side: tuple, gate: Tensor, noise: Tensor) -> Tensor:
        states, prior, places, index = side
        found = states.clone()
        for number, place in enumerate(places):
            through = gate[index[place]].sigmoid()
            instead = prior.mean + prior.std * noise[number].to(states)
            found[place] = through * states[place] + (1 - through) * instead
        return found

    def price(self, sides: list[tuple], gates: list[Tensor]) -> Tensor:
        count = sum(len(side[2]) for side in sides) if self.method.normalization == "mean" else 1
        nats = [
            self.nats(states[place], prior, gate[index[place]])
            for (states, prior, places, index), gate in zip(sides, gates, strict=True)
            for place in places
        ]
        return self.method.beta * torch.stack(nats).sum() / (sides[0][0].shape[1] * count)

    def run(self) -> list[list[float]]:
        """Bits of each piece of the source, and of each token of the prefix as the decoder has read it."""
        sides = self.sides()
        width = sides[0][0].shape[1]
        shared = width if self.method.per == "dimension" else 1
        gates = [torch.full((1 + max(side[3]), shared), 5.0).to(side[0]).requires_grad_() for side in sides]
        optimizer = torch.optim.Adam(gates, self.method.learning_rate)
        generator = sentence_generator(self.method.seed, self.source.text)
        pairs = self.method.draws // 2
        for _ in range(self.method.steps):
            drawn = [torch.randn(pairs, len(side[2]), width, generator=generator) for side in sides]
            losses = []
            for noise in [[sign * part[draw] for part in drawn] for sign in (1, -1) for draw in range(pairs)]:
                states = [self.perturbed(*one) for one in zip(sides, gates, noise, strict=True)]
                losses.append(-self.logprob(states[0], states[1] if len(states) > 1 else None))
            optimizer.zero_grad()
            loss = torch.stack(losses).mean() + self.price(sides, gates)
            for gate, slope in zip(gates, torch.autograd.grad(loss, gates, allow_unused=True), strict=True):
                gate.grad = slope
            optimizer.step()
        bits = []
        for (states, prior, places, index), gate in zip(sides, gates, strict=True):
            worth = [0.0] * len(states)
            for place in places:
                worth[place] = float(self.nats(states[place], prior, gate[index[place]].detach())) / math.log(2)
            bits.append(worth)
        return bits
