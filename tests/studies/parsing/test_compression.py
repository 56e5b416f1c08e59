"""Training of one parser and of a sweep."""

from dataclasses import replace

import pytest
import torch

from nmt_ib.compression.kinds import TagSettings
from nmt_ib.compression.objective import CompressionObjective
from nmt_ib.compression.saved import CONFIG, WEIGHTS, load_parser
from nmt_ib.compression.training import CHECKPOINT, evaluate
from nmt_ib.studies.parsing.compression import compression_sweep
from tests.tiny_treebank import parser_config


def test_a_study_trains_and_saves_a_parser(corpus, study, tmp_path):
    epochs, state = [], torch.get_rng_state()
    folder = tmp_path / "a" / "model"
    point = study.train((corpus, corpus), parser_config(corpus), folder, after_epoch=epochs.append)
    assert torch.equal(torch.get_rng_state(), state)
    assert sorted(file.name for file in folder.iterdir()) == [CHECKPOINT, CONFIG, WEIGHTS]
    parser = load_parser(folder)
    assert parser.config == parser_config(corpus)
    scores, bits = evaluate(parser.model, corpus)
    assert (point.uas, point.las, point.bits_per_token) == (scores.uas, scores.las, pytest.approx(bits))
    assert (point.beta, point.epochs, point.directory) == (0.01, 2, "model")
    assert point.epoch in (1, 2)
    assert [epoch.number for epoch in epochs] == [1, 2]


def test_the_seed_decides_every_byte(corpus, study, tmp_path):
    points = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        one = replace(study, training=replace(study.training, seed=seed))
        points.append(one.train((corpus, corpus), parser_config(corpus), tmp_path / name))
    assert replace(points[0], directory="") == replace(points[1], directory="")
    for file in (WEIGHTS, CHECKPOINT):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b != c


def test_tags_without_a_finite_rate(corpus, study, tmp_path):
    tags = TagSettings("identity")
    point = replace(study, tags=tags).train((corpus, corpus), parser_config(corpus, tags), tmp_path)
    assert point.bits_per_token is None
    assert point.beta is None


def test_a_sweep_is_its_parsers_one_by_one(corpus, study, tmp_path):
    """Several are in subdirectories, a single one in the directory itself; nothing is trained twice."""
    studies = [replace(study, objective=CompressionObjective(beta)) for beta in (0.01, 1.0)]
    epochs = []
    settings = {"corpora": (corpus, corpus), "config": parser_config(corpus), "after_epoch": epochs.append}
    points = compression_sweep(studies, directory=tmp_path / "sweep", **settings)
    assert [point.directory for point in points] == ["beta-0.01", "beta-1"]
    (single,) = compression_sweep(studies[:1], directory=tmp_path / "single", **settings)
    assert single.directory == "."
    assert replace(single, directory="beta-0.01") == points[0]
    assert len(epochs) == 6
    again = compression_sweep(studies, directory=tmp_path / "sweep", **settings)
    assert (again, len(epochs)) == (points, 6)
