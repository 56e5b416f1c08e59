"""Buckets of similar length, and functions applied batch by batch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt_ib.batching import length_buckets, map_in_batches, map_pairs_in_batches

WORDS = st.lists(st.text("ab", max_size=5), max_size=20)


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 9))
def test_buckets_hold_each_index_once_and_fall_in_length(lengths, size):
    buckets = length_buckets(lengths, size)
    assert sorted(index for bucket in buckets for index in bucket) == list(range(len(lengths)))
    assert all(len(bucket) <= size for bucket in buckets)
    flat = [lengths[index] for bucket in buckets for index in bucket]
    assert flat == sorted(lengths, reverse=True)


@given(WORDS, st.integers(1, 7))
def test_results_come_back_in_order(words, size):
    batches = []

    def upper(batch):
        batches.append(batch)
        return (word.upper() for word in batch)

    assert map_in_batches(upper, words, size) == [word.upper() for word in words]
    assert all(len(batch) <= size for batch in batches)
    assert [len(word) for batch in batches for word in batch] == sorted(map(len, words), reverse=True)


def test_items_without_a_length_are_given_one():
    seen = []
    map_in_batches(lambda batch: seen.extend(batch) or batch, [3, 1, 2], 2, length=lambda number: number)
    assert seen == [3, 2, 1]


@given(WORDS, st.integers(1, 7))
def test_pairs_stay_together(words, size):
    numbers = list(range(len(words)))
    found = map_pairs_in_batches(lambda left, right: zip(left, right, strict=True), words, numbers, size)
    assert found == list(zip(words, numbers, strict=True))


def test_numbers_of_items_and_results_must_agree():
    with pytest.raises(ValueError, match="shorter"):
        map_in_batches(lambda batch: batch[:-1], ["a", "b"], 2)
    with pytest.raises(ValueError, match="shorter"):
        map_pairs_in_batches(lambda left, right: left, ["a", "b"], [1], 2)
