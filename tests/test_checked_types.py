"""Shapes are checked while tests run, in every room."""

import ast

import pytest
import torch
from jaxtyping import Float, TypeCheckError
from torch import Tensor

from nmt_ib.types import Decoded
from tests.checked_types import has_shape
from tests.conftest import PACKAGE, checked_modules


def test_a_wrong_shape_is_an_error_outside_of_the_rooms_of_tensors():
    states = torch.zeros(1, 2, 3)
    Decoded(states, (states,))
    with pytest.raises(TypeCheckError, match="layers"):
        Decoded(states, (torch.zeros(1, 3, 3),))


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (Float[Tensor, " N"], True),
        (tuple[Float[Tensor, "B T"], ...], True),
        (dict[str, list[Float[Tensor, "B T"]]] | None, True),
        (Tensor, False),
        (list[int], False),
    ],
)
def test_shapes_are_found_at_any_depth(hint, expected):
    assert has_shape(hint) is expected


def test_every_module_with_a_shape_is_checked():
    shaped = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "jaxtyping"
    }
    assert shaped - set(checked_modules()) == set()
