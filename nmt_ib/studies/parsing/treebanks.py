"""Treebanks and texts by name or in memory: training and test trees, and sentences to parse."""

import random
from collections.abc import Sequence
from pathlib import Path

from nmt_ib.data.conllu import read_conllu, words_tree
from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError
from nmt_ib.models.words import WordSplitter, whitespace_words
from nmt_ib.types import Tree

Treebank = str | Path | Sequence[Tree]
Sentences = str | Path | Sequence[str] | Sequence[Tree]


def open_treebank(treebank: Treebank, role: str) -> list[Tree]:
    """The sentences of a treebank.

    Args:
        treebank: Name of a CoNLL-U file, also gzipped, or trees.
        role: Role of the treebank, for error messages.

    Returns:
        The sentences, at least one of them with words.

    Raises:
        RequestError: The file cannot be read or is damaged, there are no words, or a sentence has no tree.
    """
    if isinstance(treebank, str | Path):
        name, trees = str(treebank), list(read_conllu(treebank))
    else:
        name, trees = role, _trees(treebank, role)
    if not any(trees):
        raise RequestError(f"{name} has no words")
    for index, tree in enumerate(trees):
        if len(tree.heads) != len(tree):
            raise RequestError(f"{name}[{index}] has no dependency tree: expected the heads of its words")
    return trees


def open_sentences(sentences: Sentences, language: str | None) -> list[Tree]:
    """Sentences to parse, split into words.

    Args:
        sentences: Name of a text, one sentence a line, or of a treebank (`.conllu`, `.conllu.gz`); sentences; or trees,
            whose heads and relations the parser ignores.
        language: Language of a text, for word segmentation; None: words are separated by whitespace.

    Returns:
        The sentences.

    Raises:
        RequestError: A file cannot be read or is damaged, or the list holds something else.
    """
    if isinstance(sentences, str | Path):
        if str(sentences).removesuffix(".gz").endswith(".conllu"):
            return list(read_conllu(sentences, heads=False))
        return split_lines(list(read_lines(str(sentences))), language)
    if all(isinstance(sentence, str) for sentence in sentences):
        return split_lines([str(sentence) for sentence in sentences], language)
    return _trees(sentences, "sentences")


def split_lines(lines: Sequence[str], language: str | None) -> list[Tree]:
    """Sentences split into words, without trees.

    Args:
        lines: One sentence each.
        language: Language of the sentences; None: words are separated by whitespace.

    Returns:
        The sentences.
    """
    split = whitespace_words if language is None else WordSplitter(language).split
    return [words_tree(line, split(line)) for line in lines]


def sample_sentences(trees: Sequence[Tree], count: int | None, seed: int) -> list[Tree]:
    """A random sample of a treebank's sentences, in their order.

    Args:
        trees: The treebank.
        count: Size of the sample; None: all sentences.
        seed: Seed of the sample.

    Returns:
        The sentences.
    """
    return [trees[index] for index in sample_indices(len(trees), count, seed)]


def sample_indices(total: int, count: int | None, seed: int) -> list[int]:
    """A random sample of the indices 0 to `total` - 1, in ascending order.

    Args:
        total: Number of indices.
        count: Size of the sample; None or more than `total`: all indices.
        seed: Seed of the sample.

    Returns:
        The indices.
    """
    if count is None or count >= total:
        return list(range(total))
    return sorted(random.Random(seed).sample(range(total), count))  # noqa: S311


def _trees(trees: object, role: str) -> list[Tree]:
    if not isinstance(trees, Sequence):
        raise RequestError(f"{role}: expected the name of a file, or a list, not {type(trees).__name__}")
    for index, tree in enumerate(trees):
        if not isinstance(tree, Tree):
            raise RequestError(f"{role}[{index}] is {type(tree).__name__}, expected a Tree as read_conllu returns")
    return list(trees)
