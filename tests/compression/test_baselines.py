"""Baselines: principal components against a singular value decomposition, gold tags against counts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from nmt_ib.compression.baselines import GoldTags, PrincipalComponents, RandomTags
from nmt_ib.errors import RequestError
from tests.tiny_treebank import tiny_corpus

WIDTH = 6


@pytest.fixture
def corpus(tmp_path):
    return tiny_corpus(tmp_path, width=WIDTH)


@pytest.fixture
def batch(corpus):
    return corpus.batch(range(len(corpus.trees)))


def test_components_are_those_of_a_singular_value_decomposition(batch):
    vectors = batch.vectors[:, 0] * torch.arange(1, WIDTH + 1)  # so that no two directions are as wide
    projection = PrincipalComponents(WIDTH, 3).double()
    projection.fit_(vectors, batch)
    centred = vectors.numpy() - vectors.numpy().mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    found = projection(vectors, batch, 1, None).values[0].numpy()
    signs = np.sign((found * left[:, :3]).sum(0))
    np.testing.assert_allclose(found * signs, left[:, :3] * sizes[:3], atol=1e-9)


def test_components_need_as_many_words(corpus):
    projection, few = PrincipalComponents(WIDTH, 5), corpus.batch([4])
    with pytest.raises(RequestError, match="5 principal components need at least 5 words, not 1"):
        projection.fit_(few.vectors[:, 0], few)
    with pytest.raises(RequestError, match="7 principal components need vectors of at least 7 dimensions, not 6"):
        PrincipalComponents(WIDTH, 7).fit_(few.vectors[:, 0].expand(9, -1), few)


def test_the_rate_of_a_gold_tag_is_its_surprisal(corpus, batch):
    kinds = len(corpus.labels.upos)
    gold = GoldTags(kinds, 3).double()
    gold.fit_(batch.vectors[:, 0], batch)
    strange = replace(batch, upos=torch.where(batch.upos == 0, -1, batch.upos))
    total = len(batch.upos) + (kinds + 1) / 2
    for words in (batch, strange):
        found = gold(batch.vectors[:, 0], words, 1, None)
        for place, tag in enumerate(words.upos.tolist()):
            count = 0 if tag < 0 else sum(one == tag for one in batch.upos.tolist())
            assert float(found.rate_nats[place]) == pytest.approx(-np.log((count + 0.5) / total))
            assert_close(found.values[0, place], gold.tag_vectors.weight[tag])  # -1: the last row


def test_random_tags_depend_on_the_form_alone(corpus, batch):
    tags = RandomTags(4, 3).double()
    found = tags.tags(batch)
    forms = [form for tree in corpus.trees for form in tree.forms]
    known = dict(zip(forms, found.tolist(), strict=True))
    assert [known[form] for form in forms] == found.tolist()
    assert set(found.tolist()) == {0, 1, 2, 3}
    tags.fit_(batch.vectors[:, 0], batch)
    rates = tags(batch.vectors[:, 0], batch, 1, None).rate_nats
    counts = torch.bincount(found, minlength=5) + 0.5
    assert_close(rates, -(counts / counts.sum()).log().double()[found])
