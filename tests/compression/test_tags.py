"""Batches of words, and the encoder of a tag against its formula."""

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.compression.tags import FeedForward, tag_encoder
from tests.tiny_treebank import tiny_corpus


def test_the_mask_is_where_words_are(tmp_path):
    batch = tiny_corpus(tmp_path).batch([0, 4, 3])
    assert batch.mask.tolist() == [[True] * 4, [True] + [False] * 3, [True] * 4]


def test_layers_with_tanh_in_between():
    network = FeedForward([3, 5, 4, 2]).double()
    units = torch.randn(7, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    first, second, third = network.layers
    assert_close(network(units, None), third(second(first(units).tanh()).tanh()))


def test_dropout_in_training_mode_with_a_generator_only():
    network = FeedForward([20, 4], dropout=0.5)
    units = torch.ones(1, 20)
    dropped = network(units, torch.Generator().manual_seed(0))
    assert not torch.equal(dropped, network(units, None))
    assert torch.equal(network.eval()(units, torch.Generator().manual_seed(0)), network(units, None))


@pytest.mark.parametrize(("deep", "sizes"), [(False, [(100, 8)]), (True, [(100, 77), (77, 55), (55, 8)])])
def test_sizes_are_those_of_li_and_eisner(deep, sizes):
    """From 100 dimensions to tags of 10: hidden layers of (100 + 55) // 2 and (100 + 10) // 2 units."""
    network = tag_encoder(100, 10, 8, deep=deep, dropout=0.0)
    assert [(layer.in_features, layer.out_features) for layer in network.layers] == sizes
