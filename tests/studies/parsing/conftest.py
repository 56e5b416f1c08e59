"""A tiny treebank in float32, and a parser that is trained on it."""

from dataclasses import replace

import numpy as np
import pytest

from nmt_ib.compression.objective import CompressionObjective
from nmt_ib.compression.saved import load_parser
from nmt_ib.compression.training import ParserTraining
from nmt_ib.studies.parsing.compression import CompressionStudy
from tests.tiny_treebank import CONTINUOUS, SMALL, parser_config, tiny_corpus


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def corpus(tmp_path):
    """In float32, as embedders return vectors."""
    corpus = tiny_corpus(tmp_path)
    return replace(corpus, layers=[layer.astype(np.float32) for layer in corpus.layers])


@pytest.fixture
def study():
    return CompressionStudy(CONTINUOUS, CompressionObjective(0.01), SMALL, ParserTraining(epochs=2, batch_size=4))


@pytest.fixture
def trained(corpus, study, tmp_path):
    """A trained parser, saved and loaded."""
    study.train((corpus, corpus), parser_config(corpus), tmp_path / "model")
    return load_parser(tmp_path / "model").model


@pytest.fixture
def unseen(corpus, tmp_path):
    """A sentence with a relation and a part of speech that do not occur in training."""
    unseen = tiny_corpus(tmp_path, ("She:XYZ:2:strange sells:VERB:0:root",), labels=corpus.labels)
    return replace(unseen, layers=[layer.astype(np.float32) for layer in unseen.layers])
