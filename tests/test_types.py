"""Sentences, padded batches and trees; tests/models/test_attention_blocks.py compares the blocks with real ones."""

import torch

from nmt_ib.types import Sentence, TokenBatch, Tree


def test_padding():
    short, long = Sentence("a", (5, 0), ("a", "."), (0, -1)), Sentence("b", (6, 7, 0), ("b", "c", "."), (0, 0, -1))
    batch = TokenBatch.pad([short, long], pad_id=9)
    assert batch.ids.tolist() == [[5, 0, 9], [6, 7, 0]]
    assert batch.mask.tolist() == [[True, True, False], [True, True, True]]
    assert batch.word_index.tolist() == [[0, -1, -1], [0, 0, -1]]


def test_rows_of_a_batch():
    batch = TokenBatch(
        torch.tensor([[1, 2], [3, 0]]), torch.tensor([[True, True], [True, False]]), torch.zeros(2, 2).long()
    )
    rows = batch.rows(torch.tensor([1, 0, 1]))
    assert rows.ids.tolist() == [[3, 0], [1, 2], [3, 0]]
    assert rows.mask.tolist() == [[True, False], [True, True], [True, False]]


def test_a_word_and_its_dependents():
    tree = Tree("a b c d", tuple("abcd"), (), (), heads=(1, -1, 1, 2), relations=(), lines=())
    assert len(tree) == 4
    assert [tree.descendants(word) for word in range(4)] == [[0], [0, 1, 2, 3], [2, 3], [3]]
