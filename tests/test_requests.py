"""What is checked at the door."""

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.requests import check_number, check_reads_targets, check_request, listed


def test_a_model_is_checked(tiny_model):
    check_request(tiny_model("marian").model, 1, 0)
    with pytest.raises(RequestError, match="model is int"):
        check_request(3, 1, 0)


@pytest.mark.parametrize(
    ("batch_size", "seed", "message"),
    [(0, 0, "batch_size is at least 1"), (1.5, 0, "batch_size"), (1, "a", "seed"), (1, None, "seed")],
)
def test_settings_are_checked(tiny_model, batch_size, seed, message):
    with pytest.raises(RequestError, match=message):
        check_request(tiny_model("marian").model, batch_size, seed)


@pytest.mark.parametrize(("value", "kind"), [(1, int), (np.int64(1), int), (0.5, float), (np.float32(0.5), float)])
def test_numbers_of_numpy_are_numbers(value, kind):
    check_number("rate", value, kind)


@pytest.mark.parametrize(("value", "kind"), [(1.0, int), ("1", float), (None, float)])
def test_what_is_no_number(value, kind):
    with pytest.raises(RequestError, match="rate"):
        check_number("rate", value, kind)


def test_only_translation_models_read_targets(tiny_model, tiny_encoder):
    check_reads_targets(tiny_model("marian").model)
    with pytest.raises(RequestError, match="no targets"):
        check_reads_targets(tiny_encoder("bert"))


def test_a_list_may_be_any_iterable():
    assert listed((text for text in "ab"), "sources") == ["a", "b"]
    assert listed([1, 2], "labels", int) == [1, 2]


@pytest.mark.parametrize("given", ["one sentence", 3, ["a", 3], ["a", None]])
def test_what_is_no_list_of_sentences(given):
    with pytest.raises(RequestError, match="sources"):
        listed(given, "sources")
