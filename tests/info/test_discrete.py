"""Counts against counting by hand and scikit-learn, the correction against known distributions."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mutual_info_score

from nmt_ib.errors import RequestError
from nmt_ib.info.discrete import (
    codes,
    discrete_conditional_entropy,
    discrete_entropy,
    discrete_information,
    joint_code,
)
from tests.oracles.information import plug_in

ROWS = arrays(np.int64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.integers(-3, 3))


@settings(deadline=None)
@given(ROWS)
def test_codes_number_rows_as_unique_does(rows):
    expected = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    np.testing.assert_array_equal(codes(rows), expected)


@settings(deadline=None)
@given(ROWS, st.integers(0, 5))
def test_information_is_counting(rows, seed):
    y = np.random.default_rng(seed).integers(0, 3, len(rows))
    found = discrete_information(rows, y)
    assert found.nats == pytest.approx(plug_in([tuple(row) for row in rows], list(y)), abs=1e-12)
    assert found.nats == pytest.approx(mutual_info_score(codes(rows), y), abs=1e-12)
    assert found.nats == pytest.approx(discrete_information(y, rows).nats, abs=1e-12)
    conditional = discrete_conditional_entropy(rows, y).nats
    assert found.nats == pytest.approx(discrete_entropy(rows).nats - conditional, abs=1e-12)
    assert -1e-12 < found.nats < discrete_entropy(y).nats + 1e-12


def test_many_columns_outgrow_a_word():
    columns = np.random.default_rng(0).integers(0, 30, (200, 50))
    columns[100:] = columns[:100]
    np.testing.assert_array_equal(
        joint_code(columns, [30] * 50), np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)
    )


def test_words_can_be_counted():
    words = np.array(["the", "house", "the", "tree"])
    assert float(discrete_entropy(words)) == pytest.approx(1.5 * math.log(2))
    assert float(discrete_information(words, np.array([0, 1, 0, 2]))) == pytest.approx(1.5 * math.log(2))


def test_torch_counts_as_numpy_does():
    x, y = np.random.default_rng(0).integers(0, 4, (2, 100))
    for dtype in (torch.int64, torch.float32, torch.bfloat16):
        assert discrete_information(torch.tensor(x, dtype=dtype), torch.tensor(y)) == discrete_information(x, y)


def test_miller_madow_corrects_the_bias():
    # An independent fair die and fair coin, 60 throws, 400 times: plug-in bias 5 / 120 nats.
    generator = np.random.default_rng(0)
    throws = [(generator.integers(0, 6, 60), generator.integers(0, 2, 60)) for _ in range(400)]
    for correction, bias in ((False, 5 / 120), (True, 0.0)):
        found = np.array([discrete_information(*throw, miller_madow=correction).nats for throw in throws])
        assert abs(found.mean() - bias) < 4 * found.std() / 20 + 0.002  # the next order, 1 / N^2
        entropies = np.array([discrete_entropy(x, miller_madow=correction).nats for x, _ in throws])
        assert abs(entropies.mean() - math.log(6) + (0 if correction else 5 / 120)) < 4 * entropies.std() / 20 + 0.002
    x, y = throws[0]
    expected = discrete_information(x, y).nats - (len(set(zip(x, y, strict=True))) - 6 - 2 + 1) / 120
    assert discrete_information(x, y, miller_madow=True).nats == pytest.approx(expected, abs=1e-12)
    conditional = discrete_conditional_entropy(x, y, miller_madow=True).nats
    assert conditional == pytest.approx(
        discrete_entropy(x, miller_madow=True).nats - discrete_information(x, y, miller_madow=True).nats, abs=1e-12
    )


def test_the_error_is_the_spread_of_samples():
    # Binary symmetric channel with flip probability .1: I = ln 2 - h(.1); and independent variables (chi squared).
    generator = np.random.default_rng(1)
    for flip, truth in ((0.1, math.log(2) + 0.1 * math.log(0.1) + 0.9 * math.log(0.9)), (0.5, 0.0)):
        found = []
        for _ in range(300):
            x = generator.integers(0, 2, 500)
            found.append(discrete_information(x, x ^ (generator.random(500) < flip), miller_madow=True))
        nats = np.array([one.nats for one in found])
        assert abs(nats.mean() - truth) < 4 * nats.std() / math.sqrt(300)
        assert 0.7 < np.mean([one.error for one in found]) / nats.std() < 1.6


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((3, 1)), np.zeros((2, 1)), "x has 3 rows and y 2"),
        (np.array([0.0, np.nan]), np.zeros(2), "x holds values that are not finite"),
        (np.zeros(2), np.array([0.0, np.inf]), "y holds values that are not finite"),
        (np.zeros((0, 2)), np.zeros(0), "x holds no values"),
        ([[1], [2, 3]], [1, 2], "x holds rows of different lengths"),
        ("word", np.zeros(2), "x is a single str: expected an array"),
    ],
)
def test_says_what_is_wrong(x, y, message):
    with pytest.raises(RequestError, match=message):
        discrete_information(x, y)
