"""AUROC and average precision against counting pairs."""

import itertools

import numpy as np
import pytest

from nmt_ib.faithfulness.ranking import rank

SCORES = [[0.9, 0.1, 0.4], [0.8, 0.3], [0.2, 0.7]]
LABELS = [[True, False, False], [False, True], [False, False]]


def by_counting(scores, labels):
    pairs = [(p, n) for p, n in itertools.product(zip(scores, labels, strict=True), repeat=2) if p[1] and not n[1]]
    return np.mean([(p[0] > n[0]) + (p[0] == n[0]) / 2 for p, n in pairs])


def test_auroc_is_the_share_of_pairs_in_order():
    found = rank(SCORES, LABELS)
    assert found.auroc == pytest.approx(by_counting(sum(SCORES, []), sum(LABELS, [])))
    assert found.auroc_within == pytest.approx((1 + 0) / 2)  # the first sentence is in order, the second is not
    assert (found.words, found.positives) == (7, 2)


def test_average_precision_by_hand():
    # Ranked: .9 yes, .8 no, .7 no, .4 no, .3 yes: precision 1/1 at the first hit, 2/5 at the second.
    assert rank(SCORES, LABELS).average_precision == pytest.approx((1 + 2 / 5) / 2)


def test_intervals_contain_the_estimate_and_depend_on_the_seed():
    generator = np.random.default_rng(1)
    labels = [(generator.random(10) < 0.3).tolist() for _ in range(60)]
    scores = [(generator.normal(size=10) + np.array(row)).tolist() for row in labels]
    found, again = rank(scores, labels, seed=3), rank(scores, labels, seed=3)
    assert found == again
    assert found.auroc_interval[0] < found.auroc < found.auroc_interval[1]
    assert found.average_precision_interval[0] < found.average_precision < found.average_precision_interval[1]
