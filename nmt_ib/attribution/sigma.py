"""Sigma: the largest noise on each embedding that a state tolerates (Guan et al. 2019), and its capacity in bits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.attribution.assemble import assemble_attribution
from nmt_ib.attribution.noise_search import NoiseSearch, StateFunction
from nmt_ib.attribution.scoring import TranslationScorer, target_scorer
from nmt_ib.attribution.sites import Site
from nmt_ib.attribution.statistics import CorpusStatistics
from nmt_ib.attribution.statistics_measurement import statistics_for
from nmt_ib.attribution.tolerated_noise import ToleratedNoise, share_outside_cloud, tolerated_noise_fields
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
    r"""The noise that a state tolerates on each piece's embedding, and the bits that pass it.

    .. math:: L(\sigma) = E_\epsilon \sum_o w_o (\Phi(x + \sigma \epsilon) - \Phi(x))_o^2 - \sum_i p \ln \sigma_i

    Bits are the capacity of the Gaussian channel at the optimum, :math:`\frac12 \sum_k \log_2(1 + s_k^2/\sigma_i^2)`
    with :math:`s_k` the standard deviation of embedding dimension k over the corpus: >= 0, -> 0 as the state forgets
    the piece.

    Attributes:
        layer: Layer of the encoder or decoder, from 1.
        part: State :math:`\Phi`: "encoder", "decoder", "pooled" or "logits"; see `Site`.
        rate: :math:`\lambda`, weight of the entropy of the noise, > 0: larger rates give more noise and fewer bits.
        scaling: Normalisation of the two terms. "code": means over the state's elements and over pieces, p = rate / S,
            as in the authors' code; "paper": sums, p = rate * D, as in the paper. S is the number of source pieces with
            noise, also with `per_token`, where the tokens of the target prefix have the same p.
        regularization: Divisor of differences of the state: "corpus", the standard deviation of each dimension over a
            corpus; "state", the root mean square of the sentence's own state.
        include_special: Whether special pieces get noise, too; they absorb information lost elsewhere.
        per_token: Whether each position of a decoder state is analysed separately, with noise on source and target
            prefix: gives both matrices and takes T times as long. Scores are then the maximum over positions.
        products: Number of vector-Jacobian products of the first-order start, >= 1.
        steps: Number of fixed-point steps, >= 0; 0: the first-order start only.
        pairs: Number of antithetic pairs of noise in each step, >= 1.
        statistics: Statistics of the corpus; None: of the sentences that the package ships.
        seed: Seed of the noise.

    References:
        Guan et al. (2019), "Towards a Deep and Unified Understanding of Deep Neural Models in NLP", equations 6 and 7.
        Differs from the authors' solver: a fixed-point iteration of about 140 network passes with averaged curvature
        instead of thousands of Adam steps of which the one with the lowest noisy loss is returned.
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
            raise RequestError(f"rate is the weight of the noise's entropy: a number above 0, not {self.rate}")
        if min(self.products, self.pairs) < 1 or self.steps < 0:
            raise RequestError("products and pairs must be at least 1, steps at least 0")
        for setting, known in (("scaling", SCALINGS), ("regularization", REGULARIZATIONS)):
            if (given := getattr(self, setting)) not in known:
                raise RequestError(f"unknown {setting} {given!r}; known: {', '.join(known)}")
        if not self.site.needs_target and self.per_token:
            raise RequestError(
                "per_token needs part decoder or logits: only they have a position for each target token"
            )

    @property
    def site(self) -> Site:
        """The state that is analysed."""
        return Site(self.part, self.layer)

    @property
    def passes(self) -> int:
        """Number of forward and backward passes of one search."""
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
            model: Any model that has the site; its weights and mode are left unchanged.
            sources: Tokenised sentences, each with at least one word.
            targets: Their translations, for decoder states and logits of a translation model.
            batch_size: Number of perturbed copies per forward pass; does not affect results beyond rounding.

        Returns:
            One Attribution per sentence, in order; its scores are its bits.

        Raises:
            RequestError: The model has no such site, or translations are missing.
        """
        self.site.check(model)
        needs_target = self.site.needs_target and isinstance(model, TranslationModel)
        if self.per_token and not needs_target:
            raise RequestError(
                f"{model.name} is not a translation model: its {self.part} have no position for each target token"
            )
        if needs_target and targets is None:
            raise RequestError(f"part {self.part} depends on the translation: pass targets")
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
        grouped: list[list[ToleratedNoise]] = [[] for _ in sources]
        for row, search in zip(rows, searched, strict=True):
            grouped[row.index].append(search)
        embedding_std = statistics.layer(0).std
        return [
            assemble_attribution(
                model, source, answer, method="sigma", part=self.part, layer=self.layer, unit="bits",
                passes=self.passes * len(searches), **tolerated_noise_fields(searches, embedding_std),
            )
            for source, answer, searches in zip(sources, answers, grouped, strict=True)
        ]  # fmt: skip

    def _search(
        self, model: EncoderModel, rows: "Sequence[_Row]", statistics: CorpusStatistics
    ) -> list[ToleratedNoise]:
        sources, positions = [row.source for row in rows], [row.position for row in rows if row.position is not None]
        targets = [row.answer for row in rows if row.answer is not None]
        problem = self.problem(model, sources, targets or None, statistics=statistics, positions=positions)
        sigma, change = problem.solve(self.products, self.steps, self.pairs)
        outside = torch.zeros_like(change) if self.per_token else share_outside_cloud(problem, sigma, statistics)
        width = max(len(row) for row in rows)
        return [
            ToleratedNoise(
                sigma=sigma[place, : len(row)],
                prefix=sigma[place, width:] if self.per_token else None,
                change=float(change[place]),
                outside_cloud=float(outside[place]),
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
        """The optimisation problem of a batch of sentences.

        Args:
            model: The model.
            sources: Tokenised sentences.
            targets: Their translations, if the site needs them.
            statistics: Statistics of the corpus.
            positions: With `per_token`, the position of each translation that is analysed.

        Returns:
            The problem, with generators at their start.
        """
        batch = model.pad(sources) if targets is None else target_scorer(model, sources, targets)
        padded = batch if isinstance(batch, TokenBatch) else batch.batch
        perturbed = padded.mask if self.include_special else padded.word_index >= 0
        entropy_weight = self.rate / perturbed.sum(1).clamp(min=1)
        inputs, state_mask = model.embed(padded.ids).detach(), self.site.positions(batch)
        if self.per_token:
            place = torch.arange(state_mask.shape[1], device=inputs.device)
            position = torch.tensor(positions, device=inputs.device)[:, None]
            inputs = torch.cat([inputs, cast(TranslationScorer, batch).prefix_embeddings().detach()], dim=1)
            perturbed = torch.cat([perturbed, (place > 0) & (place <= position)], dim=1)
            state_mask = place == position

        def states(copies: int) -> StateFunction:
            copied = batch.rows(torch.arange(len(sources), device=inputs.device).repeat(copies))
            return lambda embeddings: self.site.state(model, copied, embeddings)

        weights = self._weights(states(1), inputs, state_mask, statistics)
        analysed: Sequence[int | None] = positions or [None] * len(sources)
        return NoiseSearch(
            states=states,
            inputs=inputs,
            perturbed=perturbed,
            state_mask=state_mask,
            weights=weights,
            entropy_weight=entropy_weight
            if self.scaling == "code"
            else torch.full_like(entropy_weight, self.rate * inputs.shape[2]),
            embedding_std=float(statistics.layer(0).std.mean()),
            generators=[
                sentence_generator(self.seed, f"{source.text}\0{position}")
                for source, position in zip(sources, analysed, strict=True)
            ],
        )

    def _weights(
        self, state: StateFunction, inputs: Tensor, state_mask: Bool[Tensor, "B O"], statistics: CorpusStatistics
    ) -> Float[Tensor, "B O U"]:
        positions = state_mask.sum(1)[:, None, None]
        if self.regularization == "corpus":
            weights = state_mask[..., None] / statistics.parts[self.site.key].std.square()
        else:
            with torch.no_grad():
                squares = state(inputs).square() * state_mask[..., None]
            mean = squares.sum((1, 2), keepdim=True) / (positions * squares.shape[2])
            weights = (state_mask[..., None] / mean).expand_as(squares)
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
