"""Faithfulness by removal: degradation curves of answers under one way of removing words."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.batching import map_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.curves import DegradationCurve, RankedAnswer, removal_levels
from nmt_ib.faithfulness.probability import probabilities
from nmt_ib.protocols import EncoderModel
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, Target

OPERATORS = ("mask", "delete", "noise")


@dataclass(frozen=True)
class Degradation:
    """Curves of answers under one way of removing words; a word is removed with all its pieces.

    Attributes:
        operator: "mask": each piece becomes the mask piece where the model has one, else the unknown piece. "delete":
            the pieces are taken out and the rest moves up. "noise": each piece's embedding is drawn from a normal
            distribution with mean and variance of the embeddings of all words evaluated, once per sentence.
        seed: Seed of the noise.
    """

    operator: str = "mask"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise RequestError(f"unknown operator {self.operator!r}; known: {', '.join(OPERATORS)}")

    @torch.inference_mode()
    def __call__(
        self, model: EncoderModel, answers: Sequence[RankedAnswer], *, batch_size: int = 32
    ) -> list[DegradationCurve]:
        """The curve of each answer.

        Args:
            model: A translation model or a classifier; its weights and mode are left unchanged.
            answers: Answers and rankings; equal copies of a sentence are run once.
            batch_size: Number of perturbed sentences per forward pass; does not affect results.

        Returns:
            One curve per answer, in order.
        """
        paths = [_paths(answer) for answer in answers]
        tokens: dict[_Copy, set[int]] = defaultdict(set)
        for answer, path in zip(answers, paths, strict=True):
            for copy in (*path.morf, *path.lerf):
                tokens[copy].add(answer.token)
        p = self._probabilities(model, {copy: tuple(sorted(needed)) for copy, needed in tokens.items()}, batch_size)
        return [
            DegradationCurve(
                path.levels,
                morf=tuple(p[copy, answer.token] for copy in path.morf),
                lerf=tuple(p[copy, answer.token] for copy in path.lerf),
            )
            for answer, path in zip(answers, paths, strict=True)
        ]

    def _probabilities(
        self, model: EncoderModel, tokens: "dict[_Copy, tuple[int, ...]]", batch_size: int
    ) -> "dict[tuple[_Copy, int], float]":
        """Probability of each token needed of each copy."""
        noise = self._noise(model, {copy.source for copy in tokens}, batch_size) if self.operator == "noise" else None

        def run(copies: list[tuple[_Copy, Sentence]]) -> list[list[float]]:
            batch = model.pad([sentence for _, sentence in copies])
            embeddings = model.embed(batch.ids)
            if noise is not None:
                embeddings = _with_noise(embeddings, [copy for copy, _ in copies], noise)
            targets, places = [copy.target for copy, _ in copies], [tokens[copy] for copy, _ in copies]
            return probabilities(model, batch, embeddings, targets, places)

        copies = [(copy, self._without(model, copy)) for copy in tokens]
        rows = map_in_batches(run, copies, batch_size, length=lambda pair: len(pair[1]))
        return {
            (copy, token): p
            for (copy, needed), row in zip(tokens.items(), rows, strict=True)
            for token, p in zip(needed, row, strict=True)
        }

    def _without(self, model: EncoderModel, copy: "_Copy") -> Sentence:
        """The sentence with the removed pieces deleted or masked; with noise they are replaced later."""
        source = copy.source
        if self.operator == "noise":
            return source
        removed = [word in copy.removed for word in source.word_index]
        if self.operator == "delete":
            left = [place for place, gone in enumerate(removed) if not gone]
            if not left:  # a model without special pieces cannot read an empty sentence
                return replace(source, ids=(model.unknown_id,), word_index=(-1,))
            return replace(
                source,
                ids=tuple(source.ids[place] for place in left),
                word_index=tuple(source.word_index[place] for place in left),
            )
        mask_id = getattr(model, "mask_id", None)
        substitute = model.unknown_id if mask_id is None else mask_id
        ids = tuple(substitute if gone else piece for piece, gone in zip(source.ids, removed, strict=True))
        return replace(source, ids=ids)

    def _noise(self, model: EncoderModel, sources: set[Sentence], batch_size: int) -> dict[Sentence, Tensor]:
        mean, std = word_embedding_moments(model, sorted(sources, key=lambda source: source.text), batch_size)
        return {source: mean + std * self._standard_noise(source, len(mean)).to(mean) for source in sources}

    def _standard_noise(self, source: Sentence, width: int) -> Float[Tensor, "S D"]:
        return torch.randn(len(source), width, generator=sentence_generator(self.seed, source.text))


def word_embedding_moments(
    model: EncoderModel, sources: Sequence[Sentence], batch_size: int = 32
) -> tuple[Float[Tensor, " D"], Float[Tensor, " D"]]:
    """Mean and standard deviation of each dimension of the embeddings of the words' pieces.

    Args:
        model: The model.
        sources: Sentences, with at least two pieces of words between them.
        batch_size: Number of sentences embedded at once.

    Returns:
        Mean and standard deviation.
    """

    def embed(sources: list[Sentence]) -> Iterator[Tensor]:
        batch = model.pad(sources)
        for embeddings, word_index in zip(model.embed(batch.ids), batch.word_index, strict=True):
            yield embeddings[word_index >= 0]

    embeddings = torch.cat(map_in_batches(embed, sources, batch_size))
    return embeddings.mean(0), embeddings.std(0)


@dataclass(frozen=True)
class _Copy:
    """A sentence without some of its words."""

    source: Sentence
    target: Target
    removed: frozenset[int]


@dataclass(frozen=True)
class _Paths:
    """Numbers of words removed, and the copies that MoRF and LeRF run through."""

    levels: tuple[int, ...]
    morf: list[_Copy]
    lerf: list[_Copy]


def _paths(answer: RankedAnswer) -> _Paths:
    ranking = answer.ranking
    levels = removal_levels(len(ranking))
    morf, lerf = (
        [_Copy(answer.source, answer.target, frozenset(order[:level])) for level in levels]
        for order in (ranking, ranking[::-1])
    )
    return _Paths(levels, morf, lerf)


def _with_noise(
    embeddings: Float[Tensor, "B S D"], copies: Sequence[_Copy], noise: dict[Sentence, Tensor]
) -> Float[Tensor, "B S D"]:
    embeddings = embeddings.clone()
    for row, copy in enumerate(copies):
        places = [place for place, word in enumerate(copy.source.word_index) if word in copy.removed]
        embeddings[row, places] = noise[copy.source][places]
    return embeddings
