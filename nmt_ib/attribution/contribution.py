"""Contribution of each source word to each target token: signed, pointwise information, in bits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nmt_ib.batching import length_buckets
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import TranslationModel
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, TokenBatch

SCORES_AT_ONCE = 1 << 25  # 128 MiB of output scores: long sentences have many candidates
OPERATORS = ("unknown", "noise", "delete")
_Prior = tuple[Float[Tensor, " D"], Float[Tensor, " D"]]  # mean and deviation of embeddings


@dataclass(frozen=True)
class Contribution:
    """What the words of one sentence contribute to its translation.

    Attributes:
        matrix_bits: log2 p(y_t | x, y_<t) - E log2 p(y_t | x without word i, y_<t); signed, <= 0: not used.
        logprob_bits: log2 p(y_t | x, y_<t), <= 0.
    """

    matrix_bits: Float[Tensor, "W T"]
    logprob_bits: Float[Tensor, " T"]


@dataclass(frozen=True)
class ContributionMethod:
    r"""How contributions are measured.

    .. math:: i(x_i; y_t) = \log_2 p(y_t | x, y_{<t}) - E \log_2 p(y_t | x \text{ without word } i, y_{<t})

    Attributes:
        operator: What "without" means. "unknown": each piece of the word becomes the unknown piece. "noise": each
            piece's embedding is drawn from N(mean, diag(variance)) of the embedding table, a closed noise channel.
            "delete": the pieces are taken out and the rest moves up (contrastive conditioning, word by word).
        draws: Noise draws, antithetic pairs, the same for each word of a sentence; the others need one pass.
        shortlist: Output scores are normalised over the candidates that are among the `shortlist` best of the
            undisturbed pass, or of a pass without any word, at any target position; 0: over the whole vocabulary.
        seed: Seed of the noise.

    References:
        Vamvas and Sennrich (2022), "As Little as Possible, as Much as Necessary: Detecting Over- and
        Undertranslations with Contrastive Conditioning", section 3 (the operator "delete").
    """

    operator: str = "unknown"
    draws: int = 4
    shortlist: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise RequestError(f"unknown operator {self.operator!r}; known: {', '.join(OPERATORS)}")
        if self.shortlist < 0:
            raise RequestError(
                f"shortlist is a number of candidates, or 0 for the whole vocabulary, not {self.shortlist}"
            )
        if self.draws < 2 or self.draws % 2:
            raise RequestError(f"draws come in antithetic pairs: give an even number of at least 2, not {self.draws}")

    @torch.inference_mode()
    def __call__(
        self, model: TranslationModel, sources: Sequence[Sentence], targets: Sequence[Sentence], *, batch_size: int = 32
    ) -> list[Contribution]:
        """Contributions for each pair of a source and its translation.

        Args:
            model: The model; its weights and mode are left as they are.
            sources: Tokenised sources, each with at least one word.
            targets: Their translations, in the same order.
            batch_size: Disturbed copies of sentences that go through the model at once; changes no result.

        Returns:
            One Contribution a pair, in order, on the CPU.
        """
        pairs = [_Pair(source, target) for source, target in zip(sources, targets, strict=True)]
        for bucket in length_buckets([len(source) for source in sources], batch_size):
            self._undisturbed(model, [pairs[index] for index in bucket])
        rows = [
            _Row(pair, word, draw) for pair in pairs for word in range(len(pair.source.words)) for draw in self._draws()
        ]
        prior = _embedding_prior(model) if self.operator == "noise" else None
        for bucket in length_buckets([len(row.pair.source) for row in rows], batch_size):
            self._disturbed(model, [rows[index] for index in bucket], prior)
        return [pair.result() for pair in pairs]

    def _draws(self) -> range:
        return range(self.draws if self.operator == "noise" else 1)

    def _undisturbed(self, model: TranslationModel, pairs: "Sequence[_Pair]") -> None:
        batch, targets = model.pad([pair.source for pair in pairs]), model.pad([pair.target for pair in pairs])
        embeddings = model.embed(batch.ids)
        states = model.decode(model.encode(embeddings, batch.mask), batch.mask, targets.ids).states
        if self.shortlist:
            bare = torch.where((batch.word_index >= 0)[..., None], _unknown(model, batch), embeddings)
            without = model.decode(model.encode(bare, batch.mask), batch.mask, targets.ids).states
        for index, pair in enumerate(pairs):
            ids, length = targets.ids[index, : len(pair.target)], len(pair.target)
            logits = model.logits(states[index, :length])
            pair.logprobs = logits.gather(1, ids[:, None])[:, 0] - logits.logsumexp(1)
            if self.shortlist:
                best = min(self.shortlist, logits.shape[1])
                others = model.logits(without[index, :length])
                found = [logits.topk(best).indices.flatten(), others.topk(best).indices.flatten(), ids]
                pair.candidates = torch.cat(found).unique()
                pair.reference = _target_logprobs(model, states[index : index + 1, :length], ids, pair.candidates)[0]
            else:
                pair.reference = pair.logprobs
            pair.matrix = torch.zeros(len(pair.source.words), length, dtype=logits.dtype)

    def _disturbed(self, model: TranslationModel, rows: "Sequence[_Row]", prior: "_Prior | None") -> None:
        batch, targets = model.pad([row.pair.source for row in rows]), model.pad([row.pair.target for row in rows])
        hit = batch.word_index == torch.tensor([[row.word] for row in rows], device=batch.ids.device)
        embeddings, mask = self._disturb(model, batch, hit, rows, prior)
        states = model.decode(model.encode(embeddings, mask), mask, targets.ids).states
        share = 1 / len(self._draws())
        start = 0
        for pair, group in groupby(rows, key=lambda row: row.pair):
            words = torch.tensor([row.word for row in group])
            stop = start + len(words)
            ids = targets.ids[start, : len(pair.target)]
            logprobs = _target_logprobs(model, states[start:stop, : len(ids)], ids, pair.candidates)
            pair.matrix.index_add_(0, words, ((pair.reference - logprobs) * share).cpu())
            start = stop

    def _disturb(
        self,
        model: TranslationModel,
        batch: TokenBatch,
        hit: Bool[Tensor, "B S"],
        rows: "Sequence[_Row]",
        prior: "_Prior | None",
    ) -> tuple[Float[Tensor, "B S D"], Bool[Tensor, "B S"]]:
        """Embeddings and mask without the words that are hit."""
        embeddings = model.embed(batch.ids)
        if self.operator == "delete":
            order = (~batch.mask | hit).to(torch.uint8).argsort(dim=1, stable=True)
            mask = torch.arange(hit.shape[1], device=hit.device) < (batch.mask & ~hit).sum(1, keepdim=True)
            return embeddings.gather(1, order[..., None].expand_as(embeddings)), mask
        instead = _unknown(model, batch) if prior is None else self._noise(batch, rows, prior)
        return torch.where(hit[..., None], instead, embeddings), batch.mask

    def _noise(self, batch: TokenBatch, rows: "Sequence[_Row]", prior: "_Prior") -> Float[Tensor, "B S D"]:
        mean, deviation = prior
        noise = torch.zeros(*batch.ids.shape, len(mean))
        for index, row in enumerate(rows):
            drawn = row.pair.noise(self.seed, self.draws // 2, len(mean))[row.draw // 2]
            noise[index, : len(drawn)] = drawn if row.draw % 2 else -drawn
        return mean + deviation * noise.to(mean)


@dataclass(eq=False)
class _Pair:
    """A source and its translation, and what the undisturbed pass left for the disturbed ones."""

    source: Sentence
    target: Sentence
    logprobs: Tensor = field(init=False)
    reference: Tensor = field(init=False)
    candidates: Tensor | None = None
    matrix: Tensor = field(init=False)
    _drawn: Tensor | None = None

    def noise(self, seed: int, pairs: int, width: int) -> Float[Tensor, "N S D"]:
        if self._drawn is None:
            generator = sentence_generator(seed, self.source.text)
            self._drawn = torch.randn(pairs, len(self.source), width, generator=generator)
        return self._drawn

    def result(self) -> Contribution:
        return Contribution(self.matrix * BITS_PER_NAT, self.logprobs.cpu() * BITS_PER_NAT)


@dataclass(frozen=True, eq=False)
class _Row:
    """One disturbed copy: a pair, the word that goes, the number of the noise draw."""

    pair: _Pair
    word: int
    draw: int


def _embedding_prior(model: TranslationModel) -> _Prior:
    """Mean and deviation of the embedding table, over the vocabulary."""
    table = model.embedding_table()
    return table.mean(0), table.std(0)


def _unknown(model: TranslationModel, batch: TokenBatch) -> Float[Tensor, " D"]:
    return model.embed(batch.ids.new_tensor([[model.unknown_id]]))[0, 0]


def _target_logprobs(
    model: TranslationModel,
    states: Float[Tensor, "B T D"],
    ids: Int[Tensor, " T"],
    candidates: Int[Tensor, " K"] | None,
) -> Float[Tensor, "B T"]:
    places = ids if candidates is None else torch.searchsorted(candidates, ids)
    found = []
    columns = model.logits(states[:1, :1]).shape[-1] if candidates is None else len(candidates)
    for part in states.split(max(1, SCORES_AT_ONCE // (len(ids) * columns))):
        logits = model.logits(part, candidates)
        found.append(logits.gather(2, places.expand(len(part), -1)[..., None])[..., 0] - logits.logsumexp(2))
    return torch.cat(found)
