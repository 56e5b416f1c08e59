"""Wrong settings from Python: one line that names the argument."""

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.requests import check_count, check_number, check_reads_targets


def test_good_requests(tiny_model):
    check_reads_targets(tiny_model("bart").model)
    check_number("rate", np.float32(0.1), float)
    check_number("rate", 1, float)
    check_number("seed", np.int32(-3))
    check_count("batch_size", np.int64(1))
    check_count("steps", 0, minimum=0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "batch_size must be at least 1, not 0"),
        (np.int64(-3), "batch_size must be at least 1, not -3"),
        (1.5, r"batch_size must be a whole number, not 1\.5"),
        ("8", "batch_size must be a whole number, not '8'"),
        (None, "batch_size must be a whole number, not None"),
    ],
)
def test_counts(value, message):
    with pytest.raises(RequestError, match=message):
        check_count("batch_size", value)


@pytest.mark.parametrize("value", ["x", None, 1j])
def test_numbers(value):
    with pytest.raises(RequestError, match="rate must be a number, not "):
        check_number("rate", value, float)


def test_models(tiny_encoder):
    with pytest.raises(RequestError, match="not a translation model: it reads no targets"):
        check_reads_targets(tiny_encoder("bert"))
