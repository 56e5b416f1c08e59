"""The information bottleneck for attribution: how few bits of each word still give the answer, sentence by sentence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.gated_question import GatedQuestion, check_layer, check_normalization
from nmt_ib.attribution.gradient import by_token_read
from nmt_ib.attribution.outcome import outcome
from nmt_ib.attribution.question import ask
from nmt_ib.attribution.statistics import CorpusStatistics, statistics_for
from nmt_ib.batching import map_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, Target

GATES = ("word", "dimension")
AT_REST = 0.02  # share of all bits that may still go, or come back, in the last step


@dataclass(frozen=True)
class Bottleneck:
    r"""Bits of each word that the answer needs: noise gates, closed as far as the answer's log-probability allows.

    .. math::
        z = \lambda R + (1 - \lambda) \epsilon, \quad \epsilon \sim N(\mu, \sigma^2), \quad
        L = E[-\ln p(y | z)] + \beta \cdot KL(p(z|R) \| N(\mu, \sigma^2)) / K

    R is the output of an encoder layer, :math:`\mu` and :math:`\sigma` its mean and deviation over a corpus. What comes
    back is the divergence at the gates as they are found: an upper bound of the information that goes through, in
    bits, summed over dimensions and pieces. Special pieces are never disturbed.

    Attributes:
        layer: Encoder layer whose output is gated; 0: the embeddings.
        beta: Price of information: so many nats of the answer for a nat in each dimension; None: 1 for translations, .1
            for a label. At .1 a translation's gates hardly close: alignment error .69 instead of .47 on twelve pairs.
        normalization: What the divergence is divided by. "word": the width, so that the pressure on a word does not
            depend on the length of its sentence. "mean": the number of all gated elements, as in the paper.
        per: A gate for each "word", or for each word and "dimension".
        per_token: For translations: a search for each target token, with gates before the source words and before the
            target's prefix together; this gives the matrices, and takes as many times longer as there are target
            tokens. Otherwise all tokens are explained jointly, with gates before the source words alone.
        steps: Steps of Adam.
        draws: Noise draws at each step, antithetic pairs.
        learning_rate: Of Adam.
        statistics: Of the corpus, with its decoder where `per_token` is on; None: of the package's own sentences,
            which are measured at each call.
        seed: Seed of the noise.

    References:
        Schulz et al. (2020), "Restricting the Flow: Information Bottlenecks for Attribution", sections 3.1 and 3.2.
    """

    layer: int = 0
    beta: float | None = None
    normalization: str = "word"
    per: str = "word"
    per_token: bool = True
    steps: int = 20
    draws: int = 2
    learning_rate: float = 0.5
    statistics: CorpusStatistics | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_normalization(self.normalization)
        if self.per not in GATES:
            raise RequestError(f"unknown gate per {self.per!r}; known: {', '.join(GATES)}")
        if self.beta is not None and not self.beta >= 0:
            raise RequestError(f"beta is the price of information: 0 or more, not {self.beta}")
        if self.steps < 1:
            raise RequestError(f"a search takes at least one step, not {self.steps}")
        if self.draws < 2 or self.draws % 2:
            raise RequestError(f"draws come in antithetic pairs: give an even number of at least 2, not {self.draws}")

    def price(self, model: EncoderModel) -> float:
        """`beta`, or what suits the model where none is given."""
        if self.beta is not None:
            return self.beta
        return 1.0 if isinstance(model, TranslationModel) else 0.1

    @torch.inference_mode(False)
    @torch.enable_grad()
    def __call__(
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: A translation model or a classifier; its weights and mode are left as they are.
            sources: Tokenised sentences.
            targets: Tokenised translations, or labels, in the same order.
            batch_size: Disturbed copies of sentences that go through the model at once; changes no result.

        Returns:
            One a sentence, in order. Details: "answer_nats" and "information_nats" are the two terms of the loss at
            the gates that were found, without the price, "undisturbed_nats" the first one with open gates; summed over
            target tokens.
        """
        check_layer(model, self.layer)
        per_token = self.per_token and isinstance(model, TranslationModel)
        statistics = self.statistics or statistics_for(model, decoder=per_token)
        statistics.check(model, f"encoder.{self.layer}", *(["decoder.0"] if per_token else []))
        rows = [
            _Row(index, source, part)
            for index, (source, target) in enumerate(zip(sources, targets, strict=True))
            for part in (_beginnings(target) if per_token and isinstance(target, Sentence) else [target])
        ]

        def search(batch: list[_Row]) -> list[_Found]:
            question = ask(model, [row.source for row in batch], [row.target for row in batch])
            gated = GatedQuestion.about(question, self.layer, statistics, prefix=per_token)
            return self._search(gated, [sentence_generator(self.seed, row.source.text) for row in batch])

        searched = map_in_batches(search, rows, max(1, batch_size // self.draws), length=lambda row: len(row.source))
        grouped: list[list[_Found]] = [[] for _ in sources]
        for row, found in zip(rows, searched, strict=True):
            grouped[row.index].append(found)
        return [self._outcome(model, *one) for one in zip(sources, targets, grouped, strict=True)]

    def _search(self, gated: GatedQuestion, generators: "list[torch.Generator]") -> "list[_Found]":
        """Adam over the gates of a batch; the sentences share the passes and nothing else."""
        gates = [channel.opened(self.per == "dimension").requires_grad_() for channel in gated.channels]
        optimizer = torch.optim.Adam(gates, self.learning_rate)
        price = self.price(gated.question.model) / gated.elements(self.normalization)
        for _ in range(self.steps):
            before = gated.information_nats(gates)
            loss = gated.answer_nats(gates, gated.noise(generators, self.draws)) + price * before
            for gate, gradient in zip(gates, torch.autograd.grad(loss.sum(), gates), strict=True):
                gate.grad = gradient
            optimizer.step()
        with torch.no_grad():
            after = gated.information_nats(gates)
            answer = gated.answer_nats(gates, gated.noise(generators, self.draws))
            bits = [channel.nats(gate) * BITS_PER_NAT for channel, gate in zip(gated.channels, gates, strict=True)]
        terms = torch.stack([answer, after, gated.undisturbed_nats()], dim=1)
        at_rest = (after - before).abs() <= AT_REST * after
        return [
            _Found(bits[0][row], bits[1][row] if len(bits) > 1 else None, terms[row], bool(at_rest[row]))
            for row in range(len(terms))
        ]

    def _outcome(self, model: EncoderModel, source: Sentence, target: Target, found: "list[_Found]") -> Attribution:
        source_bits = torch.stack([one.source_bits[: len(source)] for one in found], dim=1)
        prefix = None
        if found[0].prefix_bits is not None:
            prefix = source_bits.new_zeros(len(found), len(found))
            for token, one in enumerate(found):
                prefix[: token + 1, token] = one.prefix_bits[: token + 1]  # type: ignore[index] # as in the first
            prefix = by_token_read(prefix[None])[0]
        terms = torch.stack([one.terms for one in found]).sum(0)
        names = ("answer_nats", "information_nats", "undisturbed_nats")
        return outcome(
            model,
            source,
            target,
            method="bottleneck",
            layer=self.layer,
            unit="bits",
            scores=source_bits.sum(1),
            matrix=source_bits if prefix is not None else None,
            prefix_matrix=prefix,
            bits=source_bits.sum(1),
            passes=len(found) * (2 + self.draws * (2 * self.steps + 1)),
            converged=all(one.at_rest for one in found),
            details=dict(zip(names, terms.tolist(), strict=True)),
        )


def _beginnings(target: Sentence) -> list[Sentence]:
    """The first token, the first two, and so on: what is written when each token's turn comes."""
    return [
        replace(target, ids=target.ids[:end], pieces=target.pieces[:end], word_index=target.word_index[:end])
        for end in range(1, len(target) + 1)
    ]


@dataclass(frozen=True)
class _Row:
    """One search: a sentence, and what of its answer is explained; of the beginning of a target the last token."""

    index: int
    source: Sentence
    target: Target


@dataclass(frozen=True)
class _Found:
    """What one search found."""

    source_bits: Float[Tensor, " S"]
    prefix_bits: Float[Tensor, " T"] | None
    terms: Float[Tensor, " 3"]
    at_rest: bool
