"""Contribution of each source word to each target token: signed, pointwise information, in bits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.attribution.word_removal import OPERATORS, WordRemoval
from nmt_ib.batching import map_in_batches, map_pairs_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import TranslationModel
from nmt_ib.types import Sentence

MAX_LOGITS = 1 << 25  # output scores computed at once, 128 MiB in float32: long sentences have many candidates


@dataclass(frozen=True)
class Contribution:
    """Contributions of the words of one sentence to its translation.

    Attributes:
        matrix_bits: log2 p(y_t | x, y_<t) - E log2 p(y_t | x without word i, y_<t), in bits; signed, <= 0: the word is
            not used.
        logprob_bits: log2 p(y_t | x, y_<t), in bits, <= 0.
    """

    matrix_bits: Float[Tensor, "W T"]
    logprob_bits: Float[Tensor, " T"]


@dataclass(frozen=True)
class ContributionMethod:
    r"""Pointwise contribution of each source word to each target token, in bits.

    .. math:: i(x_i; y_t) = \log_2 p(y_t | x, y_{<t}) - E \log_2 p(y_t | x \text{ without word } i, y_{<t})

    Attributes:
        operator: How word i is removed: "unknown" (unknown piece), "noise" (closed noise channel) or "delete"
            (contrastive conditioning, word by word); see `WordRemoval`.
        draws: Number of noise draws in the expectation, even and >= 2: antithetic pairs, the same for each word of a
            sentence; read for the operator "noise" only, the others need one pass.
        shortlist: Output scores are normalised over the `shortlist` most probable candidates of the unperturbed pass,
            or of a pass without any word, at any target position; 0: over the whole vocabulary.
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

    @property
    def draws_per_word(self) -> int:
        """Perturbed copies of a sentence for each of its words."""
        return self.draws if self.operator == "noise" else 1

    @torch.inference_mode()
    def __call__(
        self, model: TranslationModel, sources: Sequence[Sentence], targets: Sequence[Sentence], *, batch_size: int = 32
    ) -> list[Contribution]:
        """Contributions for each pair of a source and its translation.

        Args:
            model: The model; its weights and mode are left unchanged.
            sources: Tokenised sources.
            targets: Their translations, in the same order.
            batch_size: Number of sentences or perturbed copies per forward pass; does not affect results.

        Returns:
            One Contribution per pair, in order, on the CPU.
        """
        removal = WordRemoval(model, self.operator, self.draws, self.seed)

        def score(sources: list[Sentence], targets: list[Sentence]) -> list[_Unperturbed]:
            return self._score(removal, sources, targets)

        pairs = map_pairs_in_batches(score, sources, targets, batch_size)
        copies = [
            _Copy(pair, word, draw)
            for pair in pairs
            for word in range(len(pair.source.words))
            for draw in range(self.draws_per_word)
        ]
        losses = iter(
            map_in_batches(
                lambda batch: _losses(removal, batch), copies, batch_size, length=lambda copy: len(copy.pair.source)
            )
        )
        return [self._contribution(pair, losses) for pair in pairs]

    def _score(
        self, removal: WordRemoval, sources: Sequence[Sentence], targets: Sequence[Sentence]
    ) -> "list[_Unperturbed]":
        """The unperturbed pass, and with a shortlist a pass without any word."""
        model = removal.model
        batch, forced = model.pad(sources), model.pad(targets)
        embeddings = model.embed(batch.ids)
        states = model.decode(model.encode(embeddings, batch.mask), batch.mask, forced.ids).states
        if self.shortlist:
            wordless = torch.where((batch.word_index >= 0)[..., None], removal.unknown(batch), embeddings)
            wordless_states = model.decode(model.encode(wordless, batch.mask), batch.mask, forced.ids).states
        results = []
        for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
            ids, length = forced.ids[row, : len(target)], len(target)
            logits = model.logits(states[row, :length])
            logprobs = logits.gather(1, ids[:, None])[:, 0] - logits.logsumexp(1)
            candidates, reference = None, logprobs
            if self.shortlist:
                best = min(self.shortlist, logits.shape[1])
                others = model.logits(wordless_states[row, :length])
                likely = [scores.topk(best).indices.flatten() for scores in (logits, others)]
                candidates = torch.cat([*likely, ids]).unique()
                reference = _target_logprobs(model, states[row : row + 1, :length], ids, candidates)[0]
            results.append(_Unperturbed(source, target, logprobs, reference, candidates))
        return results

    def _contribution(self, pair: "_Unperturbed", losses: Iterator[Float[Tensor, " T"]]) -> Contribution:
        words, draws = len(pair.source.words), self.draws_per_word
        logprobs = pair.logprobs.cpu()
        rows = list(islice(losses, words * draws))
        matrix = (
            torch.stack(rows).unflatten(0, (words, draws)).mean(1) if rows else logprobs.new_zeros(0, len(logprobs))
        )
        return Contribution(matrix * BITS_PER_NAT, logprobs * BITS_PER_NAT)


@dataclass(frozen=True, eq=False)
class _Unperturbed:
    """A pair of source and translation, and the log-probabilities of its unperturbed pass, in nats.

    Attributes:
        source: The source.
        target: Its translation.
        logprobs: Of the target tokens, over the whole vocabulary.
        reference: The same over the candidates.
        candidates: Ids of the shortlist, ascending; None: the whole vocabulary.
    """

    source: Sentence
    target: Sentence
    logprobs: Float[Tensor, " T"]
    reference: Float[Tensor, " T"]
    candidates: Int[Tensor, " K"] | None


@dataclass(frozen=True, eq=False)
class _Copy:
    """One perturbed copy: a pair, the word that is removed, the index of the noise draw."""

    pair: _Unperturbed
    word: int
    draw: int


def _losses(removal: WordRemoval, copies: Sequence[_Copy]) -> Iterator[Float[Tensor, " T"]]:
    """Loss of log-probability of each target token, in nats, for each copy."""
    model, sources = removal.model, [copy.pair.source for copy in copies]
    batch, forced = model.pad(sources), model.pad([copy.pair.target for copy in copies])
    removed = batch.word_index == torch.tensor([[copy.word] for copy in copies], device=batch.ids.device)
    embeddings, mask = removal.inputs(batch, removed, sources, [copy.draw for copy in copies])
    states = model.decode(model.encode(embeddings, mask), mask, forced.ids).states
    start = 0
    for pair, group in groupby(copies, key=lambda copy: copy.pair):
        stop = start + len(list(group))
        ids = forced.ids[start, : len(pair.target)]
        logprobs = _target_logprobs(model, states[start:stop, : len(ids)], ids, pair.candidates)
        yield from (pair.reference - logprobs).cpu()
        start = stop


def _target_logprobs(
    model: TranslationModel,
    states: Float[Tensor, "B T D"],
    ids: Int[Tensor, " T"],
    candidates: Int[Tensor, " K"] | None,
) -> Float[Tensor, "B T"]:
    """Log-probabilities of the target tokens among the candidates, in nats."""
    columns = ids if candidates is None else torch.searchsorted(candidates, ids)
    count = model.logits(states[:1, :1]).shape[-1] if candidates is None else len(candidates)
    parts = []
    for part in states.split(max(1, MAX_LOGITS // (len(ids) * count))):
        logits = model.logits(part, candidates)
        parts.append(logits.gather(2, columns.expand(len(part), -1)[..., None])[..., 0] - logits.logsumexp(2))
    return torch.cat(parts)
