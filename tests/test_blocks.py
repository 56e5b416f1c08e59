"""Blocks as linear maps, against sums over heads and products of gates."""

import torch
from torch.testing import assert_close

from nmt_ib.blocks import AttentionBlock, RecurrentBlock


def randn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape)), dtype=torch.float64)


def test_an_attention_block_is_the_sum_over_heads():
    weights, values, projection, scale = randn(1, 2, 3, 4).softmax(-1), randn(1, 2, 4, 5), randn(2, 5, 6), randn(1, 3)
    nothing = torch.zeros(1, 3, 6, dtype=torch.float64)
    block = AttentionBlock(nothing, nothing, nothing, True, weights, values, projection, scale)
    vectors = block.transformed_vectors(slice(1, 3))
    assert vectors.shape == (1, 2, 4, 6)
    for i in (1, 2):
        for j in range(4):
            by_head = [weights[0, h, i, j] * values[0, h, j] @ projection[h] for h in range(2)]
            assert_close(vectors[0, i - 1, j], scale[0, i] * sum(by_head))


def test_a_recurrent_block_multiplies_the_gates_between():
    gates, updates, norm_weight, scale = randn(1, 4, 6).sigmoid(), randn(1, 4, 6), randn(6), randn(1, 4)
    relu_mask = randn(1, 4, 6) > 0
    nothing = torch.zeros(1, 4, 6, dtype=torch.float64)
    log_gates = gates.log().cumsum(1)
    block = RecurrentBlock(nothing, nothing, nothing, False, log_gates, updates, relu_mask, norm_weight, scale)
    vectors = block.transformed_vectors(slice(0, 4))
    for i in range(4):
        for j in range(4):
            cell = relu_mask[0, i] * gates[0, j + 1 : i + 1].prod(0) * updates[0, j] * (j <= i)
            assert_close(vectors[0, i, j], scale[0, i] * norm_weight * (cell - cell.mean()))
