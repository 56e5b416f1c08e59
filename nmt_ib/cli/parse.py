"""`nmt-ib parse`: dependency trees from a parser that `nmt-ib compress` trained."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_ib.cli.terminal import Device, SentencesAtOnce, Threads, printable, set_threads
from nmt_ib.errors import RequestError
from nmt_ib.progress import progress_bar

if TYPE_CHECKING:
    from nmt_ib.types import Tree

CONLLU, JSON = "conllu", "json"
EXAMPLE = """\b
Example:
  $ echo "The bridge was closed." > text.en
  $ nmt-ib parse text.en --model model/
  # text = The bridge was closed.
  1	The	_	_	_	_	2	det	_	_
  2	bridge	_	_	_	_	4	nsubj	_	_
  3	was	_	_	_	_	4	aux	_	_
  4	closed	_	_	_	_	0	root	_	SpaceAfter=No
  5	.	_	_	_	_	4	punct	_	_
"""


def parse(
    source: Annotated[str, typer.Argument(help="Sentences, one a line, or a treebank (.conllu, .conllu.gz).")],
    model: Annotated[Path, typer.Option(help="The --out directory of `nmt-ib compress`.")],
    vectors: Annotated[
        Path | None,
        typer.Option(help="Vectors of whitespace-separated words: .npz with vectors [N, D] and lengths [B]."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="Output format: conllu or json.")] = CONLLU,
    language: Annotated[str, typer.Option(help="Language of a plain text, for word segmentation.")] = "en",
    device: Device = "cpu",
    batch_size: SentencesAtOnce = 128,
    threads: Threads = None,
) -> None:
    """Parses sentences: one tree with one root for each; an empty line gives an empty sentence."""
    from nmt_ib.compression.saved import load_parser
    from nmt_ib.data.conllu import format_tree
    from nmt_ib.models.vectors import load_vectors
    from nmt_ib.studies.parsing.parse import parse_corpus
    from nmt_ib.studies.parsing.treebank_vectors import corpus_from_vectors, embed_treebank, load_parser_embedder

    if form not in (CONLLU, JSON):
        raise RequestError(f"unknown format {form!r}; known: {CONLLU}, {JSON}")
    set_threads(threads)
    config, parser = load_parser(model)
    trees = read_sentences(source, None if vectors else language)
    if config.tags.kind == "pos" and not any(set(tree.upos) - {"_"} for tree in trees):
        raise RequestError(f"the parser reads parts of speech, but {source} has none: use a tagged treebank")
    if vectors is not None:
        corpus = corpus_from_vectors(trees, load_vectors(vectors), config, name=str(vectors))
    else:
        loaded = load_parser_embedder(config, device)
        with progress_bar("vectors", len(trees)) as advance:
            corpus = embed_treebank(trees, loaded, config.layers, config.labels, cache=False, advance=advance)
    with progress_bar("parsing", len(trees)) as advance:
        found = parse_corpus(parser.to(device), corpus, batch_size=batch_size, advance=advance)
    if form == JSON:
        write(json.dumps({"sentences": [facts(tree) for tree in found]}, ensure_ascii=False) + "\n")
    else:
        write("".join(format_tree(tree) for tree in found))


def read_sentences(source: str, language: str | None) -> "list[Tree]":
    """Sentences split into words.

    Args:
        source: A text, or a treebank, whose trees are ignored.
        language: Language of the text; None: words are separated by whitespace.

    Returns:
        The sentences, without trees.
    """
    from nmt_ib.data.conllu import read_conllu, words_tree
    from nmt_ib.data.text import read_lines
    from nmt_ib.models.words import WordSplitter, blank_words

    if source.removesuffix(".gz").endswith(".conllu"):
        return list(read_conllu(source, heads=False))
    split = blank_words if language is None else WordSplitter(language).split
    return [words_tree(line, split(line)) for line in read_lines(source)]


def write(text: str) -> None:
    """Prints text; on a terminal without control characters."""
    if sys.stdout.isatty():
        text = "".join(character if character in "\t\n" else printable(character) for character in text)
    sys.stdout.write(text)


def facts(tree: "Tree") -> dict:
    """One parsed sentence as plain data; heads are numbered from 1, 0 is the root, as in CoNLL-U."""
    return {
        "text": tree.text,
        "words": list(tree.forms),
        "heads": [head + 1 for head in tree.heads],
        "relations": list(tree.relations),
    }
