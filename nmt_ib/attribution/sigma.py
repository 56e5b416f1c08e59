"""Sigma: the largest noise on each embedding that a layer's state tolerates (Guan et al. 2019), and its bits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.noise_search import NoiseSearch, StateOf
from nmt_ib.attribution.outcome import outcome
from nmt_ib.attribution.question import Translation, ask
from nmt_ib.attribution.sites import Site
from nmt_ib.attribution.statistics import CorpusStatistics, statistics_for
from nmt_ib.attribution.tolerated_noise import Tolerated, outside_cloud, tolerated_figures
from nmt_ib.batching import map_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, Target, TokenBatch

SCALINGS = ("code", "paper")
REGULARIZATIONS = ("corpus", "state")


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
            code has it; "paper": sums against sums, p = rate * D, as the paper writes it. S counts the source pieces
            that get noise, also with `per_token`, where p is that of the prefix's tokens, too.
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
        for setting, known in (("scaling", SCALINGS), ("regularization", REGULARIZATIONS)):
            if (given := getattr(self, setting)) not in known:
                raise RequestError(f"unknown {setting} {given!r}; known: {', '.join(known)}")
        if not self.site.needs_target and self.per_token:
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
        needs_target = self.site.needs_target and isinstance(model, TranslationModel)
        if self.per_token and not needs_target:
            raise RequestError(
                f"{model.name} translates nothing: it has one {self.part} a sentence, none for each token"
            )
        if needs_target and targets is None:
            raise RequestError(f"the {self.part}'s state depends on the translation: pass targets")
        answers = list(targets) if needs_target and targets is not None else [None] * len(sources)
        statistics = self.statistics or statistics_for(model, decoder=needs_target)
        statistics.check(model, "encoder.0", *([self.site.key] if self.regularization == "corpus" else []))
        rows = [
            _Row(index, source, answer, position)
            for index, (source, answer) in enumerate(zip(sources, answers, strict=True))
            for position in (range(len(cast(Sentence, answer))) if self.per_token else [None])
        ]
        copies = 2 * self.pairs
        searched = map_in_batches(
            lambda batch: self._search(model, batch, statistics), rows, max(1, batch_size // copies)
        )
        grouped: list[list[Tolerated]] = [[] for _ in sources]
        for row, tolerated in zip(rows, searched, strict=True):
            grouped[row.index].append(tolerated)
        spread = statistics.layer(0).std
        return [
            outcome(
                model, source, answer, method="sigma", part=self.part, layer=self.layer, unit="bits",
                passes=self.passes * len(results), **tolerated_figures(results, spread),
            )
            for source, answer, results in zip(sources, answers, grouped, strict=True)
        ]  # fmt: skip

    def _search(self, model: EncoderModel, rows: "Sequence[_Row]", statistics: CorpusStatistics) -> list[Tolerated]:
        sources, positions = [row.source for row in rows], [row.position for row in rows if row.position is not None]
        targets = [row.answer for row in rows if row.answer is not None]
        problem = self.problem(model, sources, targets or None, statistics=statistics, positions=positions)
        sigma, change = problem.solve(self.products, self.steps, self.pairs)
        outside = torch.zeros_like(change) if self.per_token else outside_cloud(problem, sigma, statistics)
        width = max(len(row) for row in rows)
        return [
            Tolerated(
                sigma=sigma[place, : len(row)],
                prefix=sigma[place, width:] if self.per_token else None,
                change=float(change[place]),
                outside=float(outside[place]),
            )
            for place, row in enumerate(rows)
        ]

    def problem(
        self,
        model: EncoderModel,
        sources: Sequence[Sentence],
        targets: Sequence[Target] | None = None,
        *,
        statistics: CorpusStatistics,
        positions: Sequence[int] = (),
    ) -> NoiseSearch:
        """What is minimised for a batch of sentences.

        Args:
            model: The model.
            sources: Tokenised sentences.
            targets: Their translations, where the site asks for them.
            statistics: Of the corpus.
            positions: With `per_token`, the position of each translation that is looked at.

        Returns:
            The problem, with fresh noise.
        """
        about = model.pad(sources) if targets is None else ask(model, sources, targets)
        batch = about if isinstance(about, TokenBatch) else about.batch
        disturbed = batch.mask if self.include_special else batch.word_index >= 0
        entropy_weight = self.rate / disturbed.sum(1).clamp(min=1)
        inputs, counted = model.embed(batch.ids).detach(), self.site.positions(about)
        if self.per_token:
            place = torch.arange(counted.shape[1], device=inputs.device)
            position = torch.tensor(positions, device=inputs.device)[:, None]
            inputs = torch.cat([inputs, cast(Translation, about).inputs()[1].detach()], dim=1)
            disturbed = torch.cat([disturbed, (place > 0) & (place <= position)], dim=1)
            counted = place == position

        def states(copies: int) -> StateOf:
            copied = about.rows(torch.arange(len(sources), device=inputs.device).repeat(copies))
            return lambda embeddings: self.site.state(model, copied, embeddings)

        weights = self._weights(states(1), inputs, counted, statistics)
        looked_at: Sequence[int | None] = positions or [None] * len(sources)
        return NoiseSearch(
            states=states,
            inputs=inputs,
            disturbed=disturbed,
            counted=counted,
            weights=weights,
            entropy_weight=entropy_weight
            if self.scaling == "code"
            else torch.full_like(entropy_weight, self.rate * inputs.shape[2]),
            spread=float(statistics.layer(0).std.mean()),
            generators=[
                sentence_generator(self.seed, f"{source.text}\0{position}")
                for source, position in zip(sources, looked_at, strict=True)
            ],
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


@dataclass(frozen=True)
class _Row:
    """One search: a sentence, or one position of its translation."""

    index: int
    source: Sentence
    answer: Target | None
    position: int | None

    def __len__(self) -> int:
        return len(self.source)
