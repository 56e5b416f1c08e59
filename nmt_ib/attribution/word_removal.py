"""Three ways of removing a word from a source: the unknown piece, a closed noise channel, deletion."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nmt_ib.protocols import TranslationModel
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, TokenBatch

OPERATORS = ("unknown", "noise", "delete")


@dataclass(frozen=True)
class WordRemoval:
    """Encoder inputs of sentences from which one word each has been removed.

    Attributes:
        model: The translation model.
        operator: "unknown": each piece of the word becomes the unknown piece. "noise": each piece's embedding is drawn
            from N(mean, diag(variance)) of the embedding table, a closed noise channel. "delete": the pieces are taken
            out and the rest moves up.
        draws: Number of noise draws, in antithetic pairs; read for "noise" only.
        seed: Seed of the noise, which depends on it and on the sentence alone.
    """

    model: TranslationModel
    operator: str
    draws: int
    seed: int

    def inputs(
        self,
        batch: TokenBatch,
        removed: Bool[Tensor, "B S"],
        sources: Sequence[Sentence],
        draws: Sequence[int],
    ) -> tuple[Float[Tensor, "B S D"], Bool[Tensor, "B S"]]:
        """Embeddings and mask without the removed pieces.

        Args:
            batch: The padded sources.
            removed: True for pieces that are removed.
            sources: The same sources, unpadded; copies of one source are most efficient side by side.
            draws: For each source the index of the noise draw, 0 to `self.draws` - 1.

        Returns:
            What the encoder reads.
        """
        embeddings = self.model.embed(batch.ids)
        if self.operator == "delete":
            order = (~batch.mask | removed).to(torch.uint8).argsort(dim=1, stable=True)
            mask = torch.arange(removed.shape[1], device=removed.device) < (batch.mask & ~removed).sum(1, keepdim=True)
            return embeddings.gather(1, order[..., None].expand_as(embeddings)), mask
        replacement = self._noise(batch, sources, draws) if self.operator == "noise" else self.unknown(batch)
        return torch.where(removed[..., None], replacement, embeddings), batch.mask

    def unknown(self, batch: TokenBatch) -> Float[Tensor, " D"]:
        """Embedding of the unknown piece, on the device of the batch."""
        return self.model.embed(batch.ids.new_tensor([[self.model.unknown_id]]))[0, 0]

    def _noise(self, batch: TokenBatch, sources: Sequence[Sentence], draws: Sequence[int]) -> Float[Tensor, "B S D"]:
        mean, std = self._prior
        noise, row = torch.zeros(*batch.ids.shape, len(mean)), 0
        for source, copies in groupby(sources):
            generator = sentence_generator(self.seed, source.text)
            drawn = torch.randn(self.draws // 2, len(source), len(mean), generator=generator)
            for _ in copies:
                noise[row, : len(source)] = drawn[draws[row] // 2] * (1 if draws[row] % 2 else -1)
                row += 1
        return mean + std * noise.to(mean)

    @cached_property
    def _prior(self) -> tuple[Float[Tensor, " D"], Float[Tensor, " D"]]:
        """Mean and standard deviation of the embedding table over the vocabulary."""
        table = self.model.embedding_table()
        return table.mean(0), table.std(0)
