"""Is an attribution about the model at all? Its weights are made random, from the output down."""

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
    """What is left of a method's attributions when a model is random from its output down to one part.

    Attributes:
        part: The last part that was made random.
        rank_correlation: Mean over sentences of Spearman's rank correlation with the attributions of the whole model,
            -1 to 1; 1: they did not change. Not a number where no sentence has a rank correlation.
    """

    part: str
    rank_correlation: float


@contextmanager
def randomized(parts: Sequence[nn.Module], generator: torch.Generator) -> Iterator[None]:
    """Gives every weight of some parts of a model a random value; afterwards the old ones come back.

    Args:
        parts: Parts of one model, which may share weights.
        generator: A CPU generator.

    Yields:
        Nothing; the weights are random inside the body.
    """
    weights = list({id(weight): weight for part in parts for weight in part.parameters()}.values())
    before = [weight.detach().clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight in weights:
                # Differs from Adebayo et al., who draw from the distribution a network was initialised with: that of a
                # trained model is not known, and its own mean and deviation keep the states at their usual size.
                drawn = torch.randn(weight.shape, generator=generator).to(weight)
                weight.copy_(weight.mean() + weight.std(correction=0) * drawn)
        yield
    finally:
        with torch.no_grad():
            for weight, old in zip(weights, before, strict=True):
                weight.copy_(old)


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
    """How attributions change as more and more of a model is made random, from its output down.

    Args:
        model: The model; it is left as it was.
        parts: Its parts with their names, from output to input (`model.parts`).
        method: The method that is examined.
        sources: Tokenised sentences.
        targets: Their translations, or labels: the same at all stages.
        seed: Seed of the random weights.
        batch_size: See the method.

    Returns:
        One stage a part, in order. A method whose rank correlation stays near 1 does not explain the model.

    References:
        Adebayo et al. (2018), "Sanity Checks for Saliency Maps", section 3.1 (cascading randomization).
    """
    whole = method(model, sources, targets, batch_size=batch_size)
    stages = []
    for count, (name, _) in enumerate(parts, start=1):
        with randomized([part for _, part in parts[:count]], torch.Generator().manual_seed(seed)):
            changed = method(model, sources, targets, batch_size=batch_size)
        correlations = [rank_correlation(_worth(a), _worth(b)) for a, b in zip(whole, changed, strict=True)]
        known = [correlation for correlation in correlations if not np.isnan(correlation)]
        stages.append(RandomizedStage(name, float(np.mean(known)) if known else float("nan")))
    return stages


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Spearman's rank correlation, equals sharing their mean rank.

    Args:
        left: Figures.
        right: As many.

    Returns:
        -1 to 1; not a number where all figures of one side are equal.
    """
    if len(set(left)) < 2 or len(set(right)) < 2:
        return float("nan")
    return float(spearmanr(left, right).statistic)


def _worth(attribution: Attribution) -> Sequence[float]:
    """The entries of the matrix where the method has one, else the words' scores."""
    if attribution.matrix is None:
        return attribution.word_scores
    return [worth for row in attribution.matrix for worth in row]
