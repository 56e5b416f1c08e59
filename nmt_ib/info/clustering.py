"""Information between states and labels by clustering the states, as suits a transformer's many dimensions."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from sklearn.cluster import MiniBatchKMeans

from nmt_ib.errors import RequestError
from nmt_ib.info.discrete import codes, information_of_codes
from nmt_ib.info.samples import Partners, Samples, check_paired, numbers_of
from nmt_ib.results.estimate import Estimate

BATCH = 4096  # states a step of k-means
SHUFFLES = 5
LARGE = 0.1  # share of the estimate
ERRORS = 3  # standard errors that chance explains


def clustered_information(x: Samples, y: Partners, clusters: int = 100, seed: int = 0) -> Estimate:
    r"""I(c(X);Y) of labels Y and the k-means cluster of X, which is at most I(X;Y).

    Clusters are found without labels. Counting then has the bias of `discrete_information`, corrected as there; two
    checks tell what is left of it: the same estimate on halves of the sample, where it is about twice as large, and
    with shuffled labels, where the truth is 0. Compare layers at one number of clusters and samples.

    Args:
        x: States, one row a sample.
        y: Labels or words, row by row.
        clusters: :math:`k`; I(c(X);Y) <= ln k.
        seed: Of k-means, the halves and the shuffles.

    Returns:
        Nats, with the standard error of a sample for these clusters; may be below 0 by chance. The settings give the
        mean of both halves, that of shuffled labels, and the estimate without correction. 0 where x is constant.

    Raises:
        RequestError: There are fewer samples than clusters, or no cluster.

    References:
        Voita, Sennrich & Titov (2019), The bottom-up evolution of representations in the transformer: the idea to
        count clusters of states.
    """
    states, labels = numbers_of(x, "x"), codes(y, "y")
    check_paired(states, labels)
    if not 1 <= clusters <= len(states):
        raise RequestError(f"{clusters} clusters of {len(states)} samples: expected 1 or more, and no fewer samples")
    code = _clusters(states, clusters, seed)
    found = information_of_codes(code, labels, miller_madow=True)
    generator = np.random.default_rng(seed)
    half_nats, shuffled_nats = _halved(code, labels, generator), _shuffled(code, labels, generator)
    settings = {
        "estimator": "clustering", "clusters": clusters, "values": found.settings["values"], "samples": len(code),
        "seed": seed, "plug_in_nats": information_of_codes(code, labels).nats,
        "half_nats": half_nats, "shuffled_nats": shuffled_nats,
    }  # fmt: skip
    doubts = (
        (half_nats - found.nats, f"half of the {len(code)} samples gives {half_nats:.3f}"),
        (shuffled_nats, f"shuffled labels give {shuffled_nats:.3f}"),
    )
    allowed = LARGE * abs(found.nats) + ERRORS * found.error
    warnings = tuple(
        f"{what} nats, all of them {found.nats:.3f}: too few samples for {clusters} clusters"
        for off, what in doubts
        if abs(off) > allowed
    )
    return replace(found, settings=settings, warnings=warnings)


def _clusters(states: Float[np.ndarray, "N D"], clusters: int, seed: int) -> Int[np.ndarray, " N"]:
    means = MiniBatchKMeans(clusters, random_state=seed, batch_size=BATCH, n_init=3)
    return codes(means.fit_predict((states - states.mean(0)).astype(np.float32)))


def _halved(code: Int[np.ndarray, " N"], labels: Int[np.ndarray, " N"], generator: np.random.Generator) -> float:
    halves = np.array_split(generator.permutation(len(code)), 2)
    found = [information_of_codes(codes(code[h]), codes(labels[h]), miller_madow=True).nats for h in halves if len(h)]
    return float(np.mean(found))


def _shuffled(code: Int[np.ndarray, " N"], labels: Int[np.ndarray, " N"], generator: np.random.Generator) -> float:
    shuffled_pairs = (generator.permutation(labels) for _ in range(SHUFFLES))
    return float(np.mean([information_of_codes(code, other, miller_madow=True).nats for other in shuffled_pairs]))
