"""What is left of a word in its tag, and which distinctions go first as bits get dearer."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import confusion_matrix, homogeneity_completeness_v_measure
from sklearn.preprocessing import StandardScaler

from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.discrete import DiscreteTags
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.saved import load_parser
from nmt_ib.errors import RequestError
from nmt_ib.reports.jsonfile import replacing
from nmt_ib.results.parsing import CompressionPoint
from nmt_ib.results.specialization import Distinctions, TagTable, TagUse
from nmt_ib.seeding import sentence_generator

AT_ONCE = 256  # sentences
TAG_TABLE = "tags.tsv"
SHOWN_FORMS, SHOWN_UPOS = 12, 4


def tag_table(model: CompressedParser, corpus: ParsingCorpus) -> TagTable:
    """The discrete tags that a treebank uses, and how far they are parts of speech.

    Args:
        model: A parser that reads discrete tags.
        corpus: The treebank, with parts of speech.

    Returns:
        The table.

    Raises:
        RequestError: The parser's tags are not discrete.
    """
    tags = discrete_tags(model, corpus)
    forms, upos = forms_and_upos(corpus)
    counts = Counter(tags.tolist())
    rows = []
    for tag, count in counts.most_common():
        places = np.flatnonzero(tags == tag)
        rows.append(
            TagUse(
                tag=tag,
                words=count,
                share=count / len(tags),
                forms=shares([forms[place] for place in places], SHOWN_FORMS),
                upos=shares([upos[place] for place in places], SHOWN_UPOS),
            )
        )
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(upos, tags)
    entropy = -sum(row.share * math.log2(row.share) for row in rows)
    return TagTable(tuple(rows), entropy, float(homogeneity), float(completeness), float(v_measure))


def write_tag_tables(directory: Path, points: Sequence[CompressionPoint], corpus: ParsingCorpus) -> list[TagTable]:
    """Writes beside each parser what its discrete tags stand for, as a table that a linguist can read.

    Args:
        directory: The sweep.
        points: Its parsers.
        corpus: Where their tags are counted.

    Returns:
        A table for each parser.
    """
    tables = [tag_table(load_parser(directory / point.directory)[1], corpus) for point in points]
    for point, table in zip(points, tables, strict=True):
        with replacing(directory / point.directory / TAG_TABLE) as file:
            file.write(table.to_tsv())
    return tables


def discrete_tags(model: CompressedParser, corpus: ParsingCorpus) -> Int[np.ndarray, " N"]:
    """The likeliest tag of every word of a treebank, in order.

    Args:
        model: A parser that reads discrete tags.
        corpus: The treebank.

    Returns:
        Numbers of tags.

    Raises:
        RequestError: The parser's tags are not discrete.
    """
    compressor = model.compressor
    if not isinstance(compressor, DiscreteTags):
        raise RequestError("the parser's tags are not discrete: compress with --tags discrete")
    found = [
        compressor.tags(model.mixed(corpus.batch(sentences, model.mix.device))).cpu() for sentences in in_order(corpus)
    ]
    return torch.cat(found).numpy()


@torch.no_grad()
def sampled_tags(model: CompressedParser, corpus: ParsingCorpus, seed: int = 0) -> Float[np.ndarray, "N d"]:
    """One sample of the tag of every word of a treebank, in order: its noise is what was not paid for.

    Args:
        model: A parser.
        corpus: The treebank.
        seed: Of the samples.

    Returns:
        The tags' values.
    """
    generator = sentence_generator(seed, "tags")
    batches = (corpus.batch(sentences, model.mix.device) for sentences in in_order(corpus))
    return torch.cat([model.tags(batch, 1, generator).values[0].cpu() for batch in batches]).numpy()


def distinctions(
    model: CompressedParser, known: ParsingCorpus, unseen: ParsingCorpus, *, words: int = 20_000, seed: int = 0
) -> Distinctions:
    """How well parts of speech can be told apart from tags, by a linear classifier.

    Args:
        model: A parser.
        known: What the classifier learns from.
        unseen: What it is tested on.
        words: Training words that it sees at most.
        seed: Of the samples of the tags.

    Returns:
        Recall of each part of speech, and what is taken for what.
    """
    (learned, gold), (tested, truth) = (
        (sampled_tags(model, one, seed), forms_and_upos(one)[1]) for one in (known, unseen)
    )
    scaler = StandardScaler().fit(learned[:words])
    classifier = LogisticRegression(max_iter=2000).fit(scaler.transform(learned[:words]), gold[:words])
    found = classifier.predict(scaler.transform(tested))
    names = sorted(set(truth))
    table = confusion_matrix(truth, found, labels=names, normalize="true")
    confused = [
        (gold_name, other, float(table[row, column]))
        for row, gold_name in enumerate(names)
        for column, other in enumerate(names)
        if row != column and table[row, column] > 0
    ]
    return Distinctions(
        recall={name: float(table[row, row]) for row, name in enumerate(names)},
        accuracy=float(np.mean(np.array(truth) == found)),
        confusions=tuple(sorted(confused, key=lambda pair: -pair[2])),
    )


def picture(values: Float[np.ndarray, "N d"], seed: int = 0) -> Float[np.ndarray, "N 2"]:
    """Tags on a plane, neighbours staying neighbours (t-SNE).

    Args:
        values: Of the tags; a few thousand.
        seed: Of the layout.

    Returns:
        Coordinates.
    """
    return TSNE(n_components=2, init="pca", random_state=seed, perplexity=min(30, (len(values) - 1) / 3)).fit_transform(
        values
    )


def neighbours(values: Float[np.ndarray, "N d"], word: int, count: int = 10) -> Int[np.ndarray, " K"]:
    """The words whose tags are nearest to that of a word.

    Args:
        values: Of all tags.
        word: The word.
        count: How many neighbours.

    Returns:
        Words, the nearest first.
    """
    distance = np.square(values - values[word]).sum(1)
    distance[word] = np.inf
    return np.argsort(distance)[:count]


def forms_and_upos(corpus: ParsingCorpus) -> tuple[list[str], list[str]]:
    """Forms and parts of speech of all words of a treebank, in order."""
    forms = [form for tree in corpus.trees for form in tree.forms]
    return forms, [upos for tree in corpus.trees for upos in tree.upos]


def in_order(corpus: ParsingCorpus) -> list[range]:
    """Batches of a treebank's sentences in its own order."""
    return [range(start, min(start + AT_ONCE, len(corpus.trees))) for start in range(0, len(corpus.trees), AT_ONCE)]


def shares(names: Sequence[str], most: int) -> tuple[tuple[str, float], ...]:
    """The most frequent names, each with its share."""
    return tuple((name, count / len(names)) for name, count in Counter(names).most_common(most))
