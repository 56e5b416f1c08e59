"""Scores of a parser on a treebank."""

from dataclasses import replace

import pytest

import nmt_ib
from nmt_ib.compression.kinds import TagSettings
from nmt_ib.compression.saved import load_parser
from nmt_ib.compression.training import evaluate
from nmt_ib.errors import RequestError
from nmt_ib.studies.parsing.benchmark import score_parser
from tests.tiny_treebank import parser_config


def test_scores_are_those_of_the_evaluation(corpus, trained):
    scores, bits = evaluate(trained, corpus)
    test = score_parser(trained, corpus, batch_size=3)
    assert (test.uas, test.las, test.clas) == (scores.uas, scores.las, scores.clas)
    assert test.bits_per_token == pytest.approx(bits)
    assert (test.words, test.sentences) == (51, 13)
    assert test.sentences_per_second > 0


def test_unseen_relations_and_parts_of_speech(trained, unseen):
    assert 0 <= score_parser(trained, unseen).las <= 0.5


def test_tags_without_a_finite_rate(corpus, study, tmp_path):
    tags = TagSettings("identity")
    replace(study, tags=tags).train((corpus, corpus), parser_config(corpus, tags), tmp_path)
    assert score_parser(load_parser(tmp_path).model, corpus).bits_per_token is None


def test_the_public_function(corpus, tiny_encoder, tmp_path):
    encoder = tiny_encoder("bert")
    for part in (encoder.model, encoder.tokenizer):
        part.save_pretrained(tmp_path / "encoder")
    settings = {"embedder": tmp_path / "encoder", "dim": 4, "epochs": 1, "layer": 2}
    (point,) = nmt_ib.compress(corpus.trees, corpus.trees, out=tmp_path / "run", **settings).points
    scores = nmt_ib.benchmark.parsing(tmp_path / "run", corpus.trees, batch_size=3)
    assert (scores.las, scores.uas) == (point.las, point.uas)
    assert scores.bits_per_token == pytest.approx(point.bits_per_token)
    assert nmt_ib.load_run(scores.save(tmp_path / "scores")) == scores
    assert list(scores.to_dataframe()["words"]) == [51]
    assert "<table" in scores._repr_html_()
    with pytest.raises(RequestError, match="test has no words"):
        nmt_ib.benchmark.parsing(tmp_path / "run", [])
