"""AUROC and average precision of word scores, with bootstrap intervals over sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from nmt_ib.faithfulness.intervals import RESAMPLES


@dataclass(frozen=True)
class Ranking:
    """How well a score ranks positive words of a labelled set before negative ones; all measures are 0 to 1.

    Attributes:
        auroc: Probability that a positive word scores higher than a negative one; chance level .5.
        average_precision: Area under the precision-recall curve; chance level: the share of positives.
        auroc_within: Mean AUROC within sentences that have words of both labels.
        auroc_interval: 95% bootstrap interval of `auroc`.
        average_precision_interval: 95% bootstrap interval of `average_precision`.
        words: Number of words.
        positives: Number of positive words.
    """

    auroc: float
    average_precision: float
    auroc_within: float
    auroc_interval: tuple[float, float]
    average_precision_interval: tuple[float, float]
    words: int
    positives: int


def rank(scores: Sequence[Sequence[float]], labels: Sequence[Sequence[bool]], seed: int = 0) -> Ranking:
    """AUROC and average precision of scores of labelled words.

    Args:
        scores: One score per word of each sentence; higher: more likely positive.
        labels: Gold labels of the same shape; both labels must occur.
        seed: Seed of the bootstrap.

    Returns:
        The measures, over all words pooled except for `auroc_within`.
    """
    sentences = [(np.array(score), np.array(label)) for score, label in zip(scores, labels, strict=True)]
    within = [roc_auc_score(label, score) for score, label in sentences if label.any() and not label.all()]
    auroc, precision = _measures(sentences)
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        sample = [sentences[index] for index in generator.integers(len(sentences), size=len(sentences))]
        if len(np.unique(np.concatenate([label for _, label in sample]))) == 2:
            drawn.append(_measures(sample))
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    return Ranking(
        auroc=auroc,
        average_precision=precision,
        auroc_within=float(np.mean(within)),
        auroc_interval=(float(low[0]), float(high[0])),
        average_precision_interval=(float(low[1]), float(high[1])),
        words=sum(len(label) for _, label in sentences),
        positives=int(sum(label.sum() for _, label in sentences)),
    )


def _measures(sentences: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    scores, labels = (np.concatenate(column) for column in zip(*sentences, strict=True))
    return float(roc_auc_score(labels, scores)), float(average_precision_score(labels, scores))
