"""A dependency parser that reads words through a compressor."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nmt_ib.compression.corpus import unpad
from nmt_ib.compression.tags import Compressor, Tags, WordBatch
from nmt_ib.errors import RequestError
from nmt_ib.parsing.biaffine import BiaffineParser, ParserScores
from nmt_ib.parsing.decoding import maximum_spanning_trees


@dataclass(frozen=True)
class ParsedBatch:
    """The predicted trees of a batch.

    Attributes:
        heads: Head of each word of each sentence, counted from 0; -1 the root.
        relations: Index of each word's relation.
        rate_nats: Rate of each word of the batch, see `Tags`.
    """

    heads: list[Int[Tensor, " _"]]
    relations: list[Int[Tensor, " _"]]
    rate_nats: Float[Tensor, " N"]


class CompressedParser(nn.Module):
    """Frozen vectors -> a learned mix of layers -> tags -> a dependency tree.

    Args:
        compressor: Maps word vectors to tags.
        parser: Maps tags to a tree.
        layers: Number L of the vectors' layers.
        root: Index of the relation that is reserved for the root of a tree; None: no relation is reserved.
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
            samples: Number of samples of each tag.
            generator: Source of the samples; None: deterministic tags.

        Returns:
            The tags.
        """
        return self.compressor(self.mixed(batch), batch, samples, generator)

    def mixed(self, batch: WordBatch) -> Float[Tensor, "N D"]:
        """The average of the layers' vectors with learned weights."""
        return torch.einsum("l,nld->nd", self.mix.softmax(0), batch.vectors)

    def scores(self, batch: WordBatch, tags: Tags, generator: torch.Generator | None = None) -> ParserScores:
        """The parser's scores for each sample of the tags.

        Args:
            batch: The words.
            tags: Their tags.
            generator: Source of the parser's dropout masks; None: no dropout.

        Returns:
            Scores of n x B sentences, sample after sample.
        """
        mask = batch.mask
        grid = tags.values.new_zeros(len(tags.values), *mask.shape, tags.values.shape[-1])
        grid[:, mask] = tags.values
        return self.parser(grid.flatten(0, 1), mask.repeat(len(tags.values), 1), generator)

    def nll(self, batch: WordBatch, tags: Tags, generator: torch.Generator | None = None) -> Float[Tensor, ""]:
        """Negative log-likelihood of the gold trees given the tags; relations not seen in training are left out.

        Args:
            batch: The words, with gold heads and relations.
            tags: Their tags.
            generator: Source of the parser's dropout masks; None: no dropout.

        Returns:
            Mean of -ln q(head) - ln q(relation | gold head) over words and samples, in nats.
        """
        samples, mask = len(tags.values), batch.mask
        scores = self.scores(batch, tags, generator)
        heads = torch.zeros(mask.shape, dtype=torch.long, device=mask.device)
        heads[mask] = batch.heads
        heads = heads.repeat(samples, 1)
        words = mask.repeat(samples, 1)
        arcs = scores.arcs[words]
        relations = self.parser.relation_scores(scores, heads)[words]
        gold = batch.relations.repeat(samples)
        relation_nll = cross_entropy(relations, gold, ignore_index=-1, reduction="sum") / len(gold)
        return cross_entropy(arcs, heads[words] + 1) + relation_nll

    @torch.no_grad()
    def parse(self, batch: WordBatch, generator: torch.Generator | None = None) -> ParsedBatch:
        """The most likely trees with one root.

        Args:
            batch: The words, at least one in each sentence.
            generator: Source of one sample of each tag; None: its mean, or the most likely tag.

        Returns:
            The trees.
        """
        tags = self.tags(batch, 1, generator)
        scores = self.scores(batch, tags)
        arcs = scores.arcs.log_softmax(-1).cpu().double().numpy()
        heads = torch.from_numpy(maximum_spanning_trees(arcs, batch.lengths.cpu().numpy())).to(scores.arcs.device)
        relations = self._reserve_root(self.parser.relation_scores(scores, heads), heads).argmax(-1)
        return ParsedBatch(unpad(heads, batch.lengths), unpad(relations, batch.lengths), tags.rate_nats)

    def _reserve_root(self, relations: Float[Tensor, "B W K"], heads: Int[Tensor, "B W"]) -> Float[Tensor, "B W K"]:
        """Relation scores such that the root of a tree, and no other word, has the relation `root`, as UD requires."""
        if self.root is None:
            return relations
        is_root_relation = torch.arange(relations.shape[2], device=relations.device) == self.root
        return relations.masked_fill(is_root_relation != (heads == -1)[..., None], -torch.inf)


def moved(model: CompressedParser, device: torch.device | str) -> CompressedParser:
    """Moves a parser to a device.

    Args:
        model: The parser.
        device: The device.

    Returns:
        The parser.

    Raises:
        RequestError: There is no such device.
    """
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch built without CUDA
        raise RequestError(f"cannot use the device {str(device)!r}: {str(error).splitlines()[0]}") from error
