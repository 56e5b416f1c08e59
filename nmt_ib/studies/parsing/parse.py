"""Dependency trees from a compressed parser. The public function."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import torch

from nmt_ib.batching import map_in_batches
from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.saved import SavedParser
from nmt_ib.data.conllu import format_tree, with_heads
from nmt_ib.errors import RequestError
from nmt_ib.models.vectors import WordVectors, load_vectors
from nmt_ib.progress import progress_bar
from nmt_ib.requests import check_count
from nmt_ib.results.parsing import ParsedSentence, Parses
from nmt_ib.signature import RunSignature, fingerprint_lines
from nmt_ib.studies.parsing.parsers import parser_fingerprint, resolve_parser
from nmt_ib.studies.parsing.treebank_vectors import corpus_from_vectors, embed_for_parser
from nmt_ib.studies.parsing.treebanks import Sentences, open_sentences
from nmt_ib.types import Tree


def parse(
    model: SavedParser | str | Path,
    sentences: Sentences,
    *,
    vectors: str | Path | WordVectors | None = None,
    language: str = "en",
    batch_size: int = 128,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> Parses:
    """Parses sentences: one tree with one root for each; an empty sentence has no words.

    Args:
        model: A parser, or the run directory of `compress`.
        sentences: Name of a text, one sentence a line, or of a treebank (`.conllu`, `.conllu.gz`); sentences; or trees,
            whose heads and relations are ignored.
        vectors: Vectors of the words, or an `.npz` file of them, instead of those of the parser's embedder; words of a
            text are then separated by whitespace.
        language: Language of a text, for word segmentation.
        batch_size: Sentences parsed at once; does not affect results beyond rounding.
        device: Device of parser and embedder: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show progress bars.

    Returns:
        The sentences with their trees, in order.

    Raises:
        RequestError: The parser, the sentences or the vectors cannot be read or do not match, the parser reads parts
            of speech that the sentences do not have, or its embedder has changed.
    """
    check_count("batch_size", batch_size)
    parser = resolve_parser(model)
    trees = open_sentences(sentences, language if vectors is None else None)
    if parser.config.tags.kind == "pos" and not any(set(tree.upos) - {"_"} for tree in trees):
        raise RequestError("the parser reads parts of speech, but the sentences have none: use a tagged treebank")
    settings: dict[str, object] = {"language": language}
    if vectors is None:
        corpus = embed_for_parser(trees, parser.config, device=device, cache=False, progress=progress)
    else:
        name = "vectors" if isinstance(vectors, WordVectors) else vectors
        loaded = vectors if isinstance(vectors, WordVectors) else load_vectors(vectors)
        corpus = corpus_from_vectors(trees, loaded, parser.config, name=name)
        settings = {"vectors": sha256(corpus.layers[0].tobytes()).hexdigest()[:16]}
    with progress_bar("parsing", len(trees), shown=progress) as advance:
        parsed = parse_corpus(parser.to(device), corpus, batch_size=batch_size, advance=advance)
    data = {"sentences": fingerprint_lines(line for tree in trees for line in (*tree.lines, ""))}
    signature = RunSignature("parse", parser.name, parser_fingerprint(parser), data, settings, seed=0)
    return Parses(tuple(map(_sentence, parsed)), signature.to_dict())


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


def _sentence(tree: Tree) -> ParsedSentence:
    heads = tuple(head + 1 for head in tree.heads)
    return ParsedSentence(tree.text, tree.forms, heads, tree.relations, format_tree(tree))
