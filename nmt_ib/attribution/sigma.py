"""Sigma: the largest noise on each embedding that a layer's state tolerates (Guan et al. 2019), and its bits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.gradient import by_token_read
from nmt_ib.attribution.noise_search import NoiseSearch, StateOf
from nmt_ib.attribution.outcome import outcome
from nmt_ib.attribution.question import Target, Translation, ask
from nmt_ib.attribution.sites import Site
from nmt_ib.attribution.statistics import CorpusStatistics, distance_from_cloud, statistics_for
from nmt_ib.batching import length_buckets
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, TokenBatch

SCALINGS = ("code", "paper")
REGULARIZATIONS = ("corpus", "state")
AT_REST = 0.1  # largest change of log sigma in the last step
CLOUD_DRAWS = 8


@dataclass(frozen=True)
class Sigma:
    r"""Noise tolerated by a state, for each piece, and what the state must therefore still hold of it.

    .. math:: L(\sigma) = E_\epsilon \sum_o w_o (\Phi(x + \sigma \epsilon) - \Phi(x))_o^2 - \sum_i p \ln \sigma_i

    Bits are the capacity of the channel that the state tolerates, :math:`\frac12 \sum_k \log_2(1 + s_k^2/\sigma_i^2)`
    with :math:`s_k` the deviation of embedding dimension k over the corpus: >= 0, -> 0 as the piece is forgotten.

    Attributes:
        layer: Layer of the encoder or decoder, from 1.
        part: "encoder", "decoder", "pooled" or "logits"; see `Site`.
        rate: :math:`\lambda`, what noise gains.
        scaling: "code": the mean over the state's elements against the mean over pieces, p = rate / S, as the authors'
            code has it; "paper": sums against sums, p = rate * D, as the paper writes it.
        regularization: What differences of the state are divided by: "corpus", the standard deviation of each
            dimension over a corpus; "state", the root mean square of the sentence's own whole state.
        include_special: Whether special pieces get noise, too. They soak up what is lost elsewhere.
        per_token: Whether each position of a decoder's state is looked at alone, with noise on the source and on the
            target prefix, which gives both matrices at T times the cost. Scores are then those of the position that
            holds most of a piece.
        products: Vector-Jacobian products of the first-order start.
        steps: Steps of the fixed point; 0: the start alone.
        pairs: Antithetic pairs of noise in each step.
        statistics: Of the corpus; None: of the sentences that the package ships.
        seed: Seed of the noise.

    References:
        Guan et al. (2019), "Towards a Deep and Unified Understanding of Deep Neural Models in NLP", equations 6 and 7.
        Differs from the authors' solver: a fixed point in about 140 network passes, not thousands of Adam steps, and
        the average curvature decides, not the luckiest noisy loss.
    """

    layer: int = 1
    part: str = "encoder"
    rate: float = 0.1
    scaling: str = "code"
    regularization: str = "corpus"
    include_special: bool = False
    per_token: bool = False
    products: int = 8
    steps: int = 8
    pairs: int = 4
    statistics: CorpusStatistics | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.rate < math.inf:
            raise RequestError(f"rate is what noise gains: a number above 0, not {self.rate}")
        if min(self.products, self.pairs) < 1 or self.steps < 0:
            raise RequestError("products and pairs are at least 1, steps at least 0")
        for given, known in ((self.scaling, SCALINGS), (self.regularization, REGULARIZATIONS)):
            if given not in known:
                raise RequestError(f"unknown {given!r}; known: {', '.join(known)}")
        if not self.site.asks and self.per_token:
            raise RequestError("only the decoder's states and the logits have a position for each target token")

    @property
    def site(self) -> Site:
        """What is looked at."""
        return Site(self.part, self.layer)

    @property
    def passes(self) -> int:
        """Network passes that one search takes, forward and backward counted apart."""
        return 1 + self.products + 4 * self.pairs * self.steps

    @torch.inference_mode(False)
    @torch.enable_grad()
    def __call__(
        self,
        model: EncoderModel,
        sources: Sequence[Sentence],
        targets: Sequence[Target] | None = None,
        *,
        batch_size: int = 32,
    ) -> list[Attribution]:
        """Sigma and bits of each piece of each sentence.

        Args:
            model: Any model that has the site; its weights and mode are left as they are.
            sources: Tokenised sentences, each with at least one word.
            targets: Their translations, for the decoder's states and the logits of a translation model.
            batch_size: Disturbed copies of sentences that go through the model at once; changes no result beyond
                rounding.

        Returns:
            One Attribution a sentence, in order; its scores are its bits.

        Raises:
            RequestError: The model has no such site, or the site needs translations.
        """
        self.site.check(model)
        asks = self.site.asks and isinstance(model, TranslationModel)
        if self.per_token and not asks:
            raise RequestError(
                f"{model.name} translates nothing: it has one {self.part} a sentence, none for each token"
            )
        if asks and targets is None:
            raise RequestError(f"the {self.part}'s state depends on the translation: pass targets")
        answers = list(targets) if asks and targets is not None else [None] * len(sources)
        statistics = self.statistics or statistics_for(model, decoder=asks)
        statistics.check(model, "encoder.0", *([self.site.key] if self.regularization == "corpus" else []))
        rows = [
            _Row(index, source, answer, position)
            for index, (source, answer) in enumerate(zip(sources, answers, strict=True))
            for position in (range(len(cast(Sentence, answer))) if self.per_token else [None])
        ]
        found: dict[int, list[_Found]] = {index: [] for index in range(len(sources))}
        for bucket in length_buckets([len(row) for row in rows], max(1, batch_size // (2 * self.pairs))):
            chosen = [rows[place] for place in bucket]
            for row, result in zip(chosen, self._search(model, chosen, statistics), strict=True):
                found[row.index].append(result)
        return [
            self._outcome(
                model, source, answer, sorted(found[index], key=lambda one: one.row.position or 0), statistics
            )
            for index, (source, answer) in enumerate(zip(sources, answers, strict=True))
        ]

    def _search(self, model: EncoderModel, rows: "Sequence[_Row]", statistics: CorpusStatistics) -> "list[_Found]":
        problem = self.problem(model, rows, statistics)
        sigma, change = problem.solve(self.products, self.steps, self.pairs)
        outside = _outside(problem, sigma, statistics) if not self.per_token else torch.zeros_like(change)
        width = max(len(row) for row in rows)
        return [
            _Found(row, sigma[place, : len(row)], sigma[place, width:], float(change[place]), float(outside[place]))
            for place, row in enumerate(rows)
        ]

    def problem(self, model: EncoderModel, rows: "Sequence[_Row]", statistics: CorpusStatistics) -> NoiseSearch:
        """What is minimised for a batch of rows.

        Args:
            model: The model.
            rows: Sentences, or single positions of their translations.
            statistics: Of the corpus.

        Returns:
            The problem, with fresh noise.
        """
        sources = [row.source for row in rows]
        asked = rows[0].answer is not None
        about = ask(model, sources, [cast(Target, row.answer) for row in rows]) if asked else model.pad(sources)
        batch = about if isinstance(about, TokenBatch) else about.batch
        disturbed = batch.mask if self.include_special else batch.word_index >= 0
        pull = self.rate / disturbed.sum(1).clamp(min=1)
        inputs, counted = model.embed(batch.ids).detach(), self.site.positions(about)
        if self.per_token:
            place = torch.arange(counted.shape[1], device=inputs.device)
            position = torch.tensor([[row.position] for row in rows], device=inputs.device)
            inputs = torch.cat([inputs, cast(Translation, about).inputs()[1].detach()], dim=1)
            disturbed = torch.cat([disturbed, (place > 0) & (place <= position)], dim=1)
            counted = place == position

        def states(copies: int) -> StateOf:
            copied = about.rows(torch.arange(len(rows), device=inputs.device).repeat(copies))
            return lambda embeddings: self.site.state(model, copied, embeddings)

        weights = self._weights(states(1), inputs, counted, statistics)
        return NoiseSearch(
            states=states,
            inputs=inputs,
            disturbed=disturbed,
            counted=counted,
            weights=weights,
            pull=pull if self.scaling == "code" else torch.full_like(pull, self.rate * inputs.shape[2]),
            spread=float(statistics.layer(0).std.mean()),
            generators=[sentence_generator(self.seed, f"{row.source.text}\0{row.position}") for row in rows],
        )

    def _weights(
        self, state: StateOf, inputs: Tensor, counted: Bool[Tensor, "B O"], statistics: CorpusStatistics
    ) -> Float[Tensor, "B O U"]:
        positions = counted.sum(1)[:, None, None]
        if self.regularization == "corpus":
            weights = counted[..., None] / statistics.parts[self.site.key].std.square()
        else:
            with torch.no_grad():
                squares = state(inputs).square() * counted[..., None]
            mean = squares.sum((1, 2), keepdim=True) / (positions * squares.shape[2])
            weights = (counted[..., None] / mean).expand_as(squares)
        return weights / (positions * weights.shape[2]) if self.scaling == "code" else weights

    def _outcome(
        self,
        model: EncoderModel,
        source: Sentence,
        answer: Target | None,
        found: "list[_Found]",
        statistics: CorpusStatistics,
    ) -> Attribution:
        spread = statistics.layer(0).std
        sigma = torch.stack([one.sigma for one in found], dim=1)
        bits = capacity_bits(sigma, spread)
        prefix = None
        if self.per_token:
            read = torch.stack([one.prefix[: len(found)] for one in found], dim=1)
            prefix = by_token_read(capacity_bits(read, spread)[None])[0]
        best = sigma.masked_fill(sigma == 0, torch.inf).amin(1)
        best = torch.where(best.isinf(), 0.0, best)
        change = max(one.change for one in found)
        return outcome(
            model,
            source,
            answer,
            method="sigma",
            part=self.part,
            layer=self.layer,
            unit="bits",
            scores=bits.amax(1),
            matrix=bits if self.per_token else None,
            prefix_matrix=prefix,
            bits=bits.amax(1),
            sigma=best,
            passes=self.passes * len(found),
            converged=change <= AT_REST,
            details={
                "change": change,
                "discarded_bits": float(discarded_bits(best, spread).sum()),
                **({} if self.per_token else {"outside_cloud": found[0].outside}),
            },
        )


def capacity_bits(sigma: Float[Tensor, "*B"], spread: Float[Tensor, " D"]) -> Float[Tensor, "*B"]:
    r"""Capacity of the channel that adds noise of deviation sigma to each dimension of an embedding.

    .. math:: I = \frac12 \sum_k \log_2(1 + s_k^2 / \sigma^2)

    Args:
        sigma: Noise; 0 where there is none, which counts as unknown, 0 bits.
        spread: :math:`s`, standard deviation of each dimension of the embeddings.

    Returns:
        Bits, >= 0, -> 0 as sigma grows.
    """
    ratio = (spread / sigma[..., None]).square()
    return torch.where(sigma > 0, ratio.log1p().sum(-1) * (0.5 * BITS_PER_NAT), 0.0)


def discarded_bits(sigma: Float[Tensor, "*B"], spread: Float[Tensor, " D"]) -> Float[Tensor, "*B"]:
    r"""What is lost relative to the embeddings' own spread, :math:`\sum_k \log_2 (\sigma / s_k)`, at least 0.

    Args:
        sigma: Noise; 0 where there is none.
        spread: :math:`s`, standard deviation of each dimension of the embeddings.

    Returns:
        Bits, >= 0.
    """
    return torch.where(sigma > 0, (sigma[..., None] / spread).log2().sum(-1), 0.0).clamp(min=0)


def _outside(problem: NoiseSearch, sigma: Float[Tensor, "B S"], statistics: CorpusStatistics) -> Float[Tensor, " B"]:
    """Share of disturbed embeddings that leave the cloud of the corpus' own."""
    cloud = statistics.layer(0)
    draws = [
        distance_from_cloud(problem.inputs + sigma[..., None] * problem.noise(), cloud) > statistics.radius
        for _ in range(CLOUD_DRAWS)
    ]
    return (torch.stack(draws).double().mean(0) * problem.disturbed).sum(1) / problem.disturbed.sum(1).clamp(min=1)


def search_rows(sources: Sequence[Sentence]) -> "list[_Row]":
    """One search for each sentence, without translations, as `Sigma.problem` takes them."""
    return [_Row(index, source, None, None) for index, source in enumerate(sources)]


@dataclass(frozen=True)
class _Row:
    """One search: a sentence, or one position of its translation."""

    index: int
    source: Sentence
    answer: Target | None
    position: int | None

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class _Found:
    """What one search found; the prefix still padded."""

    row: _Row
    sigma: Float[Tensor, " S"]
    prefix: Float[Tensor, " T"]
    change: float
    outside: float
