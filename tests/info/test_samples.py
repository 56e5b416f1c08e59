"""Samples as matrices: kinds of input, and what is refused."""

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.info.samples import check_paired, numbers_of, of_order_one, tensor_of, values_of


@pytest.mark.parametrize("samples", [[1, 2], np.array([1, 2]), torch.tensor([1.0, 2.0]), torch.tensor([[1], [2]])])
def test_one_axis_is_one_column(samples):
    numbers = numbers_of(samples, "x")
    assert numbers.dtype == np.float64
    assert numbers.tolist() == [[1], [2]]


def test_axes_after_the_first_are_columns():
    assert numbers_of(np.zeros((4, 2, 3)), "x").shape == (4, 6)
    assert values_of([["a", "b"], ["c", "d"]], "x").tolist() == [["a", "b"], ["c", "d"]]


def test_tensors_need_no_gradient_and_keep_their_device():
    samples = torch.ones(3, 2, dtype=torch.bfloat16, requires_grad=True)
    found = tensor_of(samples, "x")
    assert (found.dtype, found.device, found.requires_grad) == (torch.float64, samples.device, False)


def test_scaling_is_exact_and_of_order_one():
    values = np.random.default_rng(0).standard_normal((50, 3)) * [1e300, 1.0, 1e-300]
    scaled = of_order_one(values)
    assert ((np.abs(scaled).max(0) >= 0.5) & (np.abs(scaled).max(0) < 1)).all()
    mantissas = np.frexp(values)[0]
    np.testing.assert_array_equal(np.frexp(scaled)[0], mantissas)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([[1], [2, 3]], "x holds rows of different lengths"),
        ("word", "x is a single str"),
        (np.zeros((0, 2)), "x holds no values"),
        ([1.0, np.inf], "x holds values that are not finite"),
        (["a"], "x holds <U1 where numbers are expected"),
    ],
)
def test_wrong_samples_are_refused(samples, message):
    with pytest.raises(RequestError, match=message):
        numbers_of(samples, "x")


def test_numbers_of_rows_must_be_equal():
    check_paired([1, 2], np.zeros((2, 3)))
    with pytest.raises(RequestError, match="x has 2 rows and y 3: expected the same number"):
        check_paired([1, 2], [1, 2, 3])
