"""Dependency trees from a compressed parser."""

from collections.abc import Callable

from nmt_ib.batching import map_in_batches
from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.data.conllu import with_heads
from nmt_ib.types import Tree


def parse_corpus(
    model: CompressedParser,
    corpus: ParsingCorpus,
    *,
    batch_size: int = 128,
    advance: Callable[[int], object] = lambda _: None,
) -> list[Tree]:
    """The sentences of a treebank with predicted trees.

    Args:
        model: The parser.
        corpus: The sentences; their trees, if any, are ignored.
        batch_size: Sentences parsed at once; does not affect results beyond rounding.
        advance: Called with the number of sentences just parsed.

    Returns:
        The sentences, in order.
    """

    def parse_batch(sentences: list[int]) -> list[Tree]:
        batch = model.parse(corpus.batch(sentences, model.mix.device))
        advance(len(sentences))
        return [
            with_heads(corpus.trees[index], heads.tolist(), [corpus.labels.relations[name] for name in names.tolist()])
            for index, heads, names in zip(sentences, batch.heads, batch.relations, strict=True)
        ]

    nonempty = corpus.nonempty
    parsed = map_in_batches(parse_batch, nonempty, batch_size, length=lambda index: len(corpus.trees[index]))
    trees = list(corpus.trees)
    for index, tree in zip(nonempty, parsed, strict=True):
        trees[index] = tree
    return trees
