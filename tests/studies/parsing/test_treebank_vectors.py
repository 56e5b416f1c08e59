"""Treebanks as input of a parser: samples, vectors, and their embedder."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.compression.corpus import Labels
from nmt_ib.data.conllu import read_conllu
from nmt_ib.errors import RequestError
from nmt_ib.models.embedders import TransformerEmbedder
from nmt_ib.models.vectors import WordVectors, offsets_of
from nmt_ib.studies.parsing import treebank_vectors as study
from tests.tiny_treebank import parser_config, tiny_corpus, write_treebank


@pytest.fixture
def embedder(tiny_encoder):
    return TransformerEmbedder(tiny_encoder("bert"))


def test_words_get_the_embedder_s_vectors(tmp_path, embedder, monkeypatch):
    trees = list(read_conllu(write_treebank(tmp_path / "tiny.conllu")))
    advanced = []
    monkeypatch.setattr(study, "progress_bar", lambda *_, shown: nullcontext(advanced.append))
    corpus = study.embed_treebank(trees, embedder, [2, 0], types=True)
    assert corpus.labels == Labels.of(trees)
    assert sum(advanced) == len(trees)
    vectors = torch.cat(embedder.vectors([tree.forms for tree in trees], [2, 0]), dim=1)
    types = embedder.types([form for tree in trees for form in tree.forms])
    for found, expected in zip(corpus.layers, vectors, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(corpus.types[corpus.type_rows], types, atol=1e-6)
    again = study.embed_treebank(trees, embedder, [2], Labels(("root",), ()))
    assert again.labels.relations == ("root",)
    assert again.types is None
    assert sum(advanced) == len(trees)  # the second time they come from the cache


def test_another_embedder_of_the_same_name_is_refused(corpus, embedder, monkeypatch):
    loaded = []
    monkeypatch.setattr(study, "load_embedder", lambda name, **settings: loaded.append((name, settings)) or embedder)
    config = parser_config(corpus, embedder_fingerprint=embedder.fingerprint, pooling="mean")
    assert study.load_parser_embedder(config) is embedder
    assert study.load_parser_embedder(replace(config, pooling="")) is embedder  # ELMo's words have no pieces
    languages = {"source_language": None, "target_language": None, "prefix": None}
    assert loaded == [
        ("tiny", {"device": "cpu", "pooling": "mean", **languages}),
        ("tiny", {"device": "cpu", **languages}),
    ]
    with pytest.raises(RequestError, match="tiny is not the embedder that the parser was trained with"):
        study.load_parser_embedder(parser_config(corpus))


def user_vectors(corpus):
    return WordVectors(corpus.layers[0], offsets_of([len(tree) for tree in corpus.trees]))


def test_vectors_of_the_user(corpus):
    given = study.corpus_from_vectors(corpus.trees, user_vectors(corpus), parser_config(corpus), name="x.npz")
    np.testing.assert_array_equal(given.layers[0], corpus.layers[0])
    assert (given.trees, given.labels) == (corpus.trees, corpus.labels)


@pytest.mark.parametrize("which", ["width", "lengths", "layers"])
def test_vectors_that_do_not_match_are_refused(corpus, tmp_path, which):
    vectors, config, trees = user_vectors(corpus), parser_config(corpus), corpus.trees
    if which == "width":
        config, message = (
            parser_config(tiny_corpus(tmp_path, width=7)),
            "vectors of 6 dimensions, but the parser reads 7",
        )
    elif which == "lengths":
        trees, message = trees[1:], "x.npz: vectors of 13 sentences, but the text has 12"
    else:
        config, message = parser_config(tiny_corpus(tmp_path, layers=2)), "reads a mix of 2 layers"
    with pytest.raises(RequestError, match=message):
        study.corpus_from_vectors(trees, vectors, config, name="x.npz")
