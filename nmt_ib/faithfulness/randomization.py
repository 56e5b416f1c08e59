"""Cascading randomization of a model's weights: do attributions depend on what the model has learned?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from nmt_ib.protocols import Attributor, EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence


@dataclass(frozen=True)
class RandomizedStage:
    """Similarity of attributions when a model is randomized from its output down to one part.

    Attributes:
        part: The last part that was randomized.
        rank_correlation: Spearman's rank correlation with the attributions of the intact model, mean over sentences,
            -1 to 1; 1: unchanged ranking. NaN if it is undefined for all sentences.
    """

    part: str
    rank_correlation: float


@contextmanager
def randomized(parts: Sequence[nn.Module], generator: torch.Generator) -> Iterator[None]:
    """Randomizes the weights of some parts of a model inside the body, and restores them afterwards.

    Args:
        parts: Parts of one model, which may share weights.
        generator: A CPU generator.

    Yields:
        Nothing.
    """
    weights = list({id(weight): weight for part in parts for weight in part.parameters()}.values())
    originals = [weight.detach().clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight in weights:
                # Differs from Adebayo et al., who draw from the initial distribution of the weights, which is not known
                # for a trained model; mean and standard deviation of the weights preserve the scale of the states.
                drawn = torch.randn(weight.shape, generator=generator).to(weight)
                weight.copy_(weight.mean() + weight.std(correction=0) * drawn)
        yield
    finally:
        with torch.no_grad():
            for weight, original in zip(weights, originals, strict=True):
                weight.copy_(original)


def randomization_check(
    model: EncoderModel,
    parts: Sequence[tuple[str, nn.Module]],
    method: Attributor,
    sources: Sequence[Sentence],
    targets: Sequence[Sentence] | Sequence[int],
    *,
    seed: int = 0,
    batch_size: int = 32,
) -> list[RandomizedStage]:
    """Similarity of attributions as a model is randomized step by step, from its output down.

    Args:
        model: The model; it is left unchanged.
        parts: Its parts with their names, from output to input (`model.parts`).
        method: The attribution method under test.
        sources: Tokenised sentences.
        targets: Their translations, or numbers of labels; the same at all stages.
        seed: Seed of the random weights.
        batch_size: See the method.

    Returns:
        One stage per part, in order. A method whose rank correlation stays near 1 does not explain the model.

    References:
        Adebayo et al. (2018), "Sanity Checks for Saliency Maps", section 3.1 (cascading randomization).
    """
    intact = method(model, sources, targets, batch_size=batch_size)
    stages = []
    for count, (name, _) in enumerate(parts, start=1):
        with randomized([part for _, part in parts[:count]], torch.Generator().manual_seed(seed)):
            scrambled = method(model, sources, targets, batch_size=batch_size)
        correlations = [rank_correlation(_scores(a), _scores(b)) for a, b in zip(intact, scrambled, strict=True)]
        defined = [correlation for correlation in correlations if not np.isnan(correlation)]
        stages.append(RandomizedStage(name, float(np.mean(defined)) if defined else float("nan")))
    return stages


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Spearman's rank correlation, ties sharing their mean rank.

    Args:
        left: Numbers.
        right: As many numbers.

    Returns:
        -1 to 1; NaN if all numbers of one side are equal.
    """
    if len(set(left)) < 2 or len(set(right)) < 2:
        return float("nan")
    return float(spearmanr(left, right).statistic)


def _scores(attribution: Attribution) -> Sequence[float]:
    """The entries of the matrix if the method has one, else the scores of the words."""
    if attribution.matrix is None:
        return attribution.word_scores
    return [score for row in attribution.matrix for score in row]
