"""A parser that reads words through a compressor."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nmt_ib.compression.corpus import unpadded
from nmt_ib.compression.tags import Compressor, Tags, WordBatch
from nmt_ib.parsing.biaffine import BiaffineParser, ParserScores
from nmt_ib.parsing.decoding import maximum_spanning_trees


@dataclass(frozen=True)
class Parsed:
    """The trees of a batch.

    Attributes:
        heads: Head of each word of each sentence, counted from 0; -1 the root.
        relations: Number of each word's relation.
        rate_nats: Rate of each word of the batch, see `Tags`.
    """

    heads: list[Int[Tensor, " _"]]
    relations: list[Int[Tensor, " _"]]
    rate_nats: Float[Tensor, " N"]


class CompressedParser(nn.Module):
    """Frozen vectors -> a learned mix of layers -> tags -> a dependency tree.

    Args:
        compressor: What makes tags of words.
        parser: What reads the tags.
        layers: Number L of the vectors' layers.
        root: Number of the relation that the root of a tree has, and no other word; None: no relation is reserved.
    """

    def __init__(
        self, compressor: Compressor, parser: BiaffineParser, layers: int = 1, root: int | None = None
    ) -> None:
        super().__init__()
        self.compressor = compressor
        self.parser = parser
        self.root = root
        self.mix = nn.Parameter(torch.zeros(layers), requires_grad=layers > 1)

    def tags(self, batch: WordBatch, samples: int = 1, generator: torch.Generator | None = None) -> Tags:
        """The tags of a batch.

        Args:
            batch: The words.
            samples: How many samples of each tag.
            generator: Of the samples; None: nothing is random.

        Returns:
            The tags.
        """
        return self.compressor(self.mixed(batch), batch, samples, generator)

    def mixed(self, batch: WordBatch) -> Float[Tensor, "N D"]:
        """The layers' vectors, averaged with learned weights."""
        return torch.einsum("l,nld->nd", self.mix.softmax(0), batch.vectors)

    def scores(self, batch: WordBatch, tags: Tags, generator: torch.Generator | None = None) -> ParserScores:
        """What the parser makes of the tags, one sample's sentences after the other's.

        Args:
            batch: The words.
            tags: Theirs.
            generator: Of the parser's dropout; None: nothing is dropped.

        Returns:
            Scores of n x B sentences.
        """
        mask = batch.mask
        grid = tags.values.new_zeros(len(tags.values), *mask.shape, tags.values.shape[-1])
        grid[:, mask] = tags.values
        return self.parser(grid.flatten(0, 1), mask.repeat(len(tags.values), 1), generator)

    def nll(self, batch: WordBatch, tags: Tags, generator: torch.Generator | None = None) -> Float[Tensor, ""]:
        """How unlikely the gold trees are, given the tags; relations that training has not do not count.

        Args:
            batch: The words, with gold heads and relations.
            tags: Theirs.
            generator: Of the parser's dropout.

        Returns:
            Mean of -ln q(head) - ln q(relation | gold head) over words and samples.
        """
        samples, mask = len(tags.values), batch.mask
        scores = self.scores(batch, tags, generator)
        heads = torch.zeros(mask.shape, dtype=torch.long, device=mask.device)
        heads[mask] = batch.heads
        heads = heads.repeat(samples, 1)
        words = mask.repeat(samples, 1)
        arcs = scores.arcs[words]
        relations = self.parser.relation_scores(scores, heads)[words]
        wanted = batch.relations.repeat(samples)
        labels = cross_entropy(relations, wanted, ignore_index=-1, reduction="sum") / len(wanted)
        return cross_entropy(arcs, heads[words] + 1) + labels

    @torch.no_grad()
    def parse(self, batch: WordBatch, generator: torch.Generator | None = None) -> Parsed:
        """The likeliest trees with one root.

        Args:
            batch: The words, at least one in each sentence.
            generator: Of one sample of each tag; None: its mean, or the likeliest tag.

        Returns:
            The trees.
        """
        tags = self.tags(batch, 1, generator)
        scores = self.scores(batch, tags)
        arcs = scores.arcs.log_softmax(-1).cpu().double().numpy()
        heads = torch.from_numpy(maximum_spanning_trees(arcs, batch.lengths.cpu().numpy())).to(scores.arcs.device)
        relations = self._reserved(self.parser.relation_scores(scores, heads), heads).argmax(-1)
        return Parsed(unpadded(heads, batch.lengths), unpadded(relations, batch.lengths), tags.rate_nats)

    def _reserved(self, relations: Float[Tensor, "B W K"], heads: Int[Tensor, "B W"]) -> Float[Tensor, "B W K"]:
        """Scores of relations, among which a tree's root has its own: treebanks allow nothing else."""
        if self.root is None:
            return relations
        names_root = torch.arange(relations.shape[2], device=relations.device) == self.root
        return relations.masked_fill(names_root != (heads == -1)[..., None], -torch.inf)
