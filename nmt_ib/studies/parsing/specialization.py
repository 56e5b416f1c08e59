"""What is left of a word in its tag, and which distinctions are lost first as beta grows."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.stats import entropy
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import confusion_matrix, homogeneity_completeness_v_measure
from sklearn.preprocessing import StandardScaler

from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.discrete import DiscreteTags
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.saved import load_parser
from nmt_ib.errors import RequestError
from nmt_ib.files import replacing
from nmt_ib.results.parsing import CompressionPoint
from nmt_ib.results.specialization import PosProbe, TagTable, TagUse
from nmt_ib.seeding import sentence_generator

BATCH_SIZE = 256  # sentences
TAG_TABLE = "tags.tsv"
MAX_FORMS, MAX_UPOS = 12, 4  # in a row of the table


def tag_table(model: CompressedParser, corpus: ParsingCorpus) -> TagTable:
    """The discrete tags that occur in a treebank, compared with its parts of speech.

    Args:
        model: A parser with discrete tags.
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
        words = np.flatnonzero(tags == tag)
        rows.append(
            TagUse(
                tag=tag,
                words=count,
                share=count / len(tags),
                forms=most_frequent([forms[word] for word in words], MAX_FORMS),
                upos=most_frequent([upos[word] for word in words], MAX_UPOS),
            )
        )
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(upos, tags)
    bits = float(entropy(list(counts.values()), base=2))
    return TagTable(tuple(rows), bits, float(homogeneity), float(completeness), float(v_measure))


def write_tag_tables(directory: Path, points: Sequence[CompressionPoint], corpus: ParsingCorpus) -> list[TagTable]:
    """Writes the table of its discrete tags, `tags.tsv`, into each parser's directory.

    Args:
        directory: Directory of the sweep.
        points: The parsers of the sweep.
        corpus: The treebank on which tags are counted.

    Returns:
        A table for each parser.
    """
    tables = [tag_table(load_parser(directory / point.directory).model, corpus) for point in points]
    for point, table in zip(points, tables, strict=True):
        with replacing(directory / point.directory / TAG_TABLE) as file:
            file.write(table.to_tsv())
    return tables


def discrete_tags(model: CompressedParser, corpus: ParsingCorpus) -> Int[np.ndarray, " N"]:
    """The most likely tag of each word of a treebank.

    Args:
        model: A parser with discrete tags.
        corpus: The treebank.

    Returns:
        Indices of tags.

    Raises:
        RequestError: The parser's tags are not discrete.
    """
    compressor = model.compressor
    if not isinstance(compressor, DiscreteTags):
        raise RequestError("the parser's tags are not discrete: compress with --tags discrete")
    batches = (corpus.batch(sentences, model.mix.device) for sentences in batches_in_order(corpus))
    return torch.cat([compressor.tags(model.mixed(batch)).cpu() for batch in batches]).numpy()


@torch.no_grad()
def sampled_tags(model: CompressedParser, corpus: ParsingCorpus, seed: int = 0) -> Float[np.ndarray, "N d"]:
    """One sample of the tag of each word of a treebank: the noise hides what is not counted in the rate.

    Args:
        model: A parser.
        corpus: The treebank.
        seed: Seed of the samples.

    Returns:
        Values of the tags.
    """
    generator = sentence_generator(seed, "tags")
    batches = (corpus.batch(sentences, model.mix.device) for sentences in batches_in_order(corpus))
    return torch.cat([model.tags(batch, 1, generator).values[0].cpu() for batch in batches]).numpy()


def probe_pos(
    model: CompressedParser,
    train_set: ParsingCorpus,
    test_set: ParsingCorpus,
    *,
    max_words: int = 20_000,
    seed: int = 0,
) -> PosProbe:
    """How well logistic regression predicts parts of speech from sampled tags.

    Args:
        model: A parser.
        train_set: Training set of the classifier.
        test_set: Test set of the classifier.
        max_words: Maximum number of training words, the first ones.
        seed: Seed of the samples of the tags.

    Returns:
        Recall of each part of speech, accuracy and confusions.
    """
    (train_tags, train_upos), (test_tags, test_upos) = (
        (sampled_tags(model, corpus, seed), forms_and_upos(corpus)[1]) for corpus in (train_set, test_set)
    )
    scaler = StandardScaler().fit(train_tags[:max_words])
    classifier = LogisticRegression(max_iter=2000)
    classifier.fit(scaler.transform(train_tags[:max_words]), train_upos[:max_words])
    predicted = classifier.predict(scaler.transform(test_tags))
    names = sorted(set(test_upos))
    table = confusion_matrix(test_upos, predicted, labels=names, normalize="true")
    confusions = [
        (gold, other, float(table[row, column]))
        for row, gold in enumerate(names)
        for column, other in enumerate(names)
        if row != column and table[row, column] > 0
    ]
    return PosProbe(
        recall={name: float(table[row, row]) for row, name in enumerate(names)},
        accuracy=float(np.mean(np.array(test_upos) == predicted)),
        confusions=tuple(sorted(confusions, key=lambda confusion: -confusion[2])),
    )


def tsne(values: Float[np.ndarray, "N d"], seed: int = 0) -> Float[np.ndarray, "N 2"]:
    """A two-dimensional t-SNE embedding of tags, started from their principal components.

    Args:
        values: Values of a few thousand tags.
        seed: Seed of the embedding.

    Returns:
        Coordinates.
    """
    perplexity = min(30, (len(values) - 1) / 3)
    return TSNE(n_components=2, init="pca", random_state=seed, perplexity=perplexity).fit_transform(values)


def nearest_words(values: Float[np.ndarray, "N d"], word: int, count: int = 10) -> Int[np.ndarray, " K"]:
    """The words whose tags are nearest to that of a word, by Euclidean distance.

    Args:
        values: Values of all tags.
        word: Index of the word.
        count: Number of neighbours.

    Returns:
        Indices of words, the nearest first.
    """
    distance = np.square(values - values[word]).sum(1)
    distance[word] = np.inf
    return np.argsort(distance)[:count]


def forms_and_upos(corpus: ParsingCorpus) -> tuple[list[str], list[str]]:
    """Forms and parts of speech of all words of a treebank, in order."""
    forms = [form for tree in corpus.trees for form in tree.forms]
    return forms, [upos for tree in corpus.trees for upos in tree.upos]


def batches_in_order(corpus: ParsingCorpus) -> list[range]:
    """Batches of a treebank's sentences in their own order."""
    total = len(corpus.trees)
    return [range(start, min(start + BATCH_SIZE, total)) for start in range(0, total, BATCH_SIZE)]


def most_frequent(names: Sequence[str], count: int) -> tuple[tuple[str, float], ...]:
    """The most frequent names, each with its share of all."""
    return tuple((name, number / len(names)) for name, number in Counter(names).most_common(count))
