"""Padding, rows of a batch, and subtrees."""

import pytest
import torch

from nmt_ib.types import Sentence, TokenBatch, Tree

SHORT = Sentence("a", (5, 0), ("a", "."), (0, -1))
LONG = Sentence("b", (6, 7, 0), ("b", "c", "."), (0, 0, -1))


def test_padding():
    batch = TokenBatch.pad([SHORT, LONG], pad_id=9)
    assert batch.ids.tolist() == [[5, 0, 9], [6, 7, 0]]
    assert batch.mask.tolist() == [[True, True, False], [True, True, True]]
    assert batch.word_index.tolist() == [[0, -1, -1], [0, 0, -1]]


def test_rows_may_repeat():
    batch = TokenBatch.pad([SHORT, LONG], pad_id=9).rows(torch.tensor([1, 0, 1]))
    assert batch.ids.tolist() == [[6, 7, 0], [5, 0, 9], [6, 7, 0]]
    assert batch.mask.sum(1).tolist() == [3, 2, 3]


@pytest.mark.parametrize(("word", "expected"), [(0, [0]), (1, [0, 1, 2, 3, 4]), (3, [2, 3, 4])])
def test_descendants(word, expected):
    forms = ("The", "ate", "an", "apple", "red")
    tree = Tree(" ".join(forms), forms, ((0, 1),) * 5, ("X",) * 5, (1, -1, 3, 1, 3), ("dep",) * 5, ())
    assert tree.descendants(word) == expected
