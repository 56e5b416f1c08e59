"""What taking words away does to an answer: degradation curves, comprehensiveness, sufficiency."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.batching import length_buckets
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.probability import Target, probabilities
from nmt_ib.protocols import EncoderModel
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, TokenBatch

OPERATORS = ("mask", "delete", "noise")
STEPS = 10  # levels of a curve; a sentence of fewer words has one for each word
_Cloud = tuple[Float[Tensor, " D"], Float[Tensor, " D"]]  # mean and deviation of embeddings


@dataclass(frozen=True)
class Ranked:
    """One answer of a model, and what a method says each word is worth to it.

    Attributes:
        source: The sentence, with at least one word.
        target: Its translation, or its label.
        scores: One a word; higher: worth more. Between equals the earlier word counts more.
        token: Which token of the translation is the answer; 0 for a label.
    """

    source: Sentence
    target: Target
    scores: tuple[float, ...]
    token: int = 0

    @property
    def ranking(self) -> list[int]:
        """The words, the one worth most first."""
        return sorted(range(len(self.scores)), key=lambda word: (-self.scores[word], word))


@dataclass(frozen=True)
class Curve:
    r"""Probability of one answer while more and more words are taken away.

    .. math:: \text{comprehensiveness}_k = p(y | x) - p(y | x \setminus \text{top } k), \quad
        \text{sufficiency}_k = p(y | x) - p(y | \text{top } k)

    Attributes:
        removed: Number of words taken away at each level, from 0 to all of them.
        morf: p(y) at each level when the words that are worth most go first, 0 to 1.
        lerf: p(y) when those that are worth least go first.

    References:
        Schulz et al. (2020), "Restricting the Flow: Information Bottlenecks for Attribution", section 4.4 (area);
        DeYoung et al. (2020), "ERASER: A Benchmark to Evaluate Rationalized NLP Models", section 4.2.
    """

    removed: tuple[int, ...]
    morf: tuple[float, ...]
    lerf: tuple[float, ...]

    @property
    def range(self) -> float:
        """How far p(y) falls from the whole sentence to none of its words."""
        return self.morf[0] - self.morf[-1]

    @property
    def area(self) -> float:
        """Mean of LeRF minus mean of MoRF over the levels; > 0: the ranking is better than its reverse."""
        return (sum(self.lerf) - sum(self.morf)) / len(self.removed)

    @property
    def comprehensiveness(self) -> tuple[float, ...]:
        """Fall of p(y) at each level when the best words go: high for a faithful ranking."""
        return tuple(self.morf[0] - value for value in self.morf)

    @property
    def sufficiency(self) -> tuple[float, ...]:
        """Fall of p(y) at each level when *only* as many of the best words are kept: low for a faithful ranking."""
        return tuple(self.lerf[0] - value for value in reversed(self.lerf))

    @property
    def aopc_comprehensiveness(self) -> float:
        """Mean of `comprehensiveness` over the levels, with both ends."""
        return sum(self.comprehensiveness) / len(self.removed)

    @property
    def aopc_sufficiency(self) -> float:
        """Mean of `sufficiency` over the levels, with both ends."""
        return sum(self.sufficiency) / len(self.removed)


@dataclass(frozen=True)
class _Copy:
    """A sentence without some of its words."""

    source: Sentence
    target: Target
    removed: frozenset[int]


@dataclass(frozen=True)
class Degradation:
    """Curves of answers under one way of taking words away; a word goes with all its pieces.

    Attributes:
        operator: "mask": each piece becomes the mask piece where the model has one, else the unknown piece. "delete":
            the pieces are taken out and the rest moves up. "noise": each piece's embedding is drawn from a normal
            distribution with mean and variance of the embeddings of the sentences' words; once for each sentence.
        seed: Seed of the noise.
    """

    operator: str = "mask"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise RequestError(f"unknown operator {self.operator!r}; known: {', '.join(OPERATORS)}")

    @torch.inference_mode()
    def __call__(self, model: EncoderModel, answers: Sequence[Ranked], *, batch_size: int = 32) -> list[Curve]:
        """The curve of each answer.

        Args:
            model: A translation model or a classifier; its weights and mode are left as they are.
            answers: Answers and rankings; equal copies of a sentence are run once.
            batch_size: Copies of sentences that go through the model at once; changes no result.

        Returns:
            One curve an answer, in order.
        """
        paths = [_paths(answer) for answer in answers]
        asked: dict[_Copy, set[int]] = defaultdict(set)
        for answer, (_, morf, lerf) in zip(answers, paths, strict=True):
            for copy in (*morf, *lerf):
                asked[copy].add(answer.token)
        found = self._run(model, {copy: tuple(sorted(tokens)) for copy, tokens in asked.items()}, batch_size)
        return [
            Curve(levels, *(tuple(found[copy][answer.token] for copy in path) for path in (morf, lerf)))
            for answer, (levels, morf, lerf) in zip(answers, paths, strict=True)
        ]

    def _run(
        self, model: EncoderModel, asked: dict[_Copy, tuple[int, ...]], batch_size: int
    ) -> dict[_Copy, dict[int, float]]:
        copies, found = list(asked), {}
        sentences = [self._without(model, copy) for copy in copies]
        noise = self._noise(model, {copy.source for copy in copies}, batch_size) if self.operator == "noise" else None
        for bucket in length_buckets([len(sentence) for sentence in sentences], batch_size):
            batch, chosen = model.pad([sentences[index] for index in bucket]), [copies[index] for index in bucket]
            embeddings = model.embed(batch.ids)
            if noise is not None:
                embeddings = _noisy(embeddings, batch, chosen, noise)
            tokens = [asked[copy] for copy in chosen]
            rows = probabilities(model, batch, embeddings, [copy.target for copy in chosen], tokens)
            found.update(
                {copy: dict(zip(asked[copy], row, strict=True)) for copy, row in zip(chosen, rows, strict=True)}
            )
        return found

    def _without(self, model: EncoderModel, copy: _Copy) -> Sentence:
        """The pieces that are left, or what stands in their place."""
        source, places = copy.source, range(len(copy.source))
        if self.operator == "noise":
            return source
        if self.operator == "delete":
            kept = [place for place in places if source.word_index[place] not in copy.removed]
            if not kept:  # a model without special pieces cannot read an empty sentence
                return replace(source, ids=(model.unknown_id,), word_index=(-1,))
            return replace(
                source,
                ids=tuple(source.ids[place] for place in kept),
                word_index=tuple(source.word_index[place] for place in kept),
            )
        mask_id = getattr(model, "mask_id", None)
        instead = model.unknown_id if mask_id is None else mask_id
        hit = [source.word_index[place] in copy.removed for place in places]
        return replace(source, ids=tuple(instead if gone else id_ for id_, gone in zip(source.ids, hit, strict=True)))

    def _noise(self, model: EncoderModel, sources: set[Sentence], batch_size: int) -> dict[Sentence, Tensor]:
        mean, deviation = word_embeddings(model, sorted(sources, key=lambda source: source.text), batch_size)
        return {
            source: mean
            + deviation
            * torch.randn(len(source), len(mean), generator=sentence_generator(self.seed, source.text)).to(mean)
            for source in sources
        }


def word_embeddings(model: EncoderModel, sources: Sequence[Sentence], batch_size: int = 32) -> _Cloud:
    """Mean and deviation of each dimension of the embeddings of the words' pieces.

    Args:
        model: The model.
        sources: Sentences, with at least two pieces of words between them.
        batch_size: Sentences that are embedded at once.

    Returns:
        Mean and deviation.
    """
    found = []
    for bucket in length_buckets([len(source) for source in sources], batch_size):
        batch = model.pad([sources[index] for index in bucket])
        found.append(model.embed(batch.ids)[batch.word_index >= 0])
    embeddings = torch.cat(found)
    return embeddings.mean(0), embeddings.std(0)


def levels_of(words: int) -> tuple[int, ...]:
    """How many words are taken away at each level of a curve.

    Args:
        words: Number of words of the sentence.

    Returns:
        From 0 to all; with k words also all but k, so that what is left of one curve is what another takes away.
    """
    if words <= STEPS:
        return tuple(range(words + 1))
    lower = {int(words * step / STEPS + 0.5) for step in range(STEPS // 2 + 1)}
    return tuple(sorted(lower | {words - level for level in lower}))


def _paths(answer: Ranked) -> tuple[tuple[int, ...], list[_Copy], list[_Copy]]:
    """Levels, and the copies that MoRF and LeRF run through."""
    ranking = answer.ranking
    levels = levels_of(len(ranking))
    morf, lerf = (
        [_Copy(answer.source, answer.target, frozenset(order[:level])) for level in levels]
        for order in (ranking, ranking[::-1])
    )
    return levels, morf, lerf


def _noisy(
    embeddings: Float[Tensor, "B S D"], batch: TokenBatch, copies: Sequence[_Copy], noise: dict[Sentence, Tensor]
) -> Float[Tensor, "B S D"]:
    embeddings = embeddings.clone()
    for row, copy in enumerate(copies):
        places = [place for place, word in enumerate(copy.source.word_index) if word in copy.removed]
        embeddings[row, places] = noise[copy.source][places]
    return embeddings
