"""Information between high-dimensional states and labels, by clustering the states."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from sklearn.cluster import MiniBatchKMeans

from nmt_ib.errors import RequestError
from nmt_ib.info.discrete import codes, information_of_codes
from nmt_ib.info.samples import Partners, Samples, check_paired, numbers_of
from nmt_ib.results.estimate import Estimate

BATCH_SIZE = 4096  # of mini-batch k-means
SHUFFLES = 5
MAX_BIAS = 0.1  # share of the estimate that remains without a warning
STANDARD_ERRORS = 3  # that sampling explains


def clustered_information(x: Samples, y: Partners, clusters: int = 100, seed: int = 0) -> Estimate:
    r"""I(c(X);Y) of labels Y and the k-means cluster c(X), which is at most I(X;Y).

    The clustering does not see the labels. Counting has the bias of `discrete_information`, with the same correction.
    Two checks show the remaining bias: the same estimate on halves of the sample, where the bias is about twice as
    large, and with shuffled labels, where the true value is 0. Compare layers with equal numbers of clusters and
    samples only.

    Args:
        x: States, one row for each sample.
        y: Labels or words, in the same order.
        clusters: Number of clusters :math:`k`; I(c(X);Y) <= ln k.
        seed: Seed of k-means, the halves and the shuffles.

    Returns:
        Nats, with the standard error due to sampling for this clustering; may be below 0 by chance. The settings
        include the mean of both halves, that of shuffled labels, and the uncorrected estimate. 0 if x is constant.

    Raises:
        RequestError: There are fewer samples than clusters, or no cluster.

    References:
        Voita, Sennrich & Titov (2019), The bottom-up evolution of representations in the transformer, who estimate
        information from clusters of states.
    """
    states, labels = numbers_of(x, "x"), codes(y, "y")
    check_paired(states, labels)
    if not 1 <= clusters <= len(states):
        raise RequestError(f"{clusters} clusters of {len(states)} samples: expected from 1 to the number of samples")
    code = _clusters(states, clusters, seed)
    found = information_of_codes(code, labels, miller_madow=True)
    generator = np.random.default_rng(seed)
    half_nats, shuffled_nats = _halved(code, labels, generator), _shuffled(code, labels, generator)
    settings = {
        "estimator": "clustering", "clusters": clusters, "values": found.settings["values"], "samples": len(code),
        "seed": seed, "plug_in_nats": information_of_codes(code, labels).nats,
        "half_nats": half_nats, "shuffled_nats": shuffled_nats,
    }  # fmt: skip
    checks = (
        (half_nats - found.nats, f"half of the {len(code)} samples gives {half_nats:.3f}"),
        (shuffled_nats, f"shuffled labels give {shuffled_nats:.3f}"),
    )
    max_bias = MAX_BIAS * abs(found.nats) + STANDARD_ERRORS * found.error
    warnings = tuple(
        f"{check} nats, the whole sample {found.nats:.3f}: too few samples for {clusters} clusters"
        for bias, check in checks
        if abs(bias) > max_bias
    )
    return replace(found, settings=settings, warnings=warnings)


def _clusters(states: Float[np.ndarray, "N D"], clusters: int, seed: int) -> Int[np.ndarray, " N"]:
    means = MiniBatchKMeans(clusters, random_state=seed, batch_size=BATCH_SIZE, n_init=3)
    return codes(means.fit_predict((states - states.mean(0)).astype(np.float32)))


def _halved(code: Int[np.ndarray, " N"], labels: Int[np.ndarray, " N"], generator: np.random.Generator) -> float:
    halves = np.array_split(generator.permutation(len(code)), 2)
    nats = [information_of_codes(codes(code[h]), codes(labels[h]), miller_madow=True).nats for h in halves if len(h)]
    return float(np.mean(nats))


def _shuffled(code: Int[np.ndarray, " N"], labels: Int[np.ndarray, " N"], generator: np.random.Generator) -> float:
    shuffled_pairs = (generator.permutation(labels) for _ in range(SHUFFLES))
    return float(np.mean([information_of_codes(code, other, miller_madow=True).nats for other in shuffled_pairs]))
