"""One product against differences."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_ib.info.distances import left_factor, right_factor


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
def test_factors_multiply_to_minus_the_squared_distances(rows, columns, width):
    generator = torch.Generator().manual_seed(rows + 10 * columns + 100 * width)
    x, y = (torch.randn(count, width, generator=generator, dtype=torch.float64) for count in (rows, columns))
    expected = -(x[:, None] - y).square().sum(2)
    torch.testing.assert_close(left_factor(x) @ right_factor(y).T, expected)
