"""From vectors to a trained parser, and to its trees."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.compression.kinds import TagSettings
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.saved import CONFIG, WEIGHTS, load_parser
from nmt_ib.compression.training import CHECKPOINT, TrainingSettings, evaluate
from nmt_ib.data.conllu import read_conllu, write_conllu
from nmt_ib.studies.parsing import compression as study
from tests.tiny_treebank import CONTINUOUS, SENTENCES, SMALL, parser_config, tiny_corpus

STUDY = study.CompressionStudy(CONTINUOUS, Objective(0.01), SMALL, TrainingSettings(epochs=2, batch_size=4))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def corpus(tmp_path):
    """In float32, as embedders give it."""
    found = tiny_corpus(tmp_path)
    return replace(found, layers=[layer.astype(np.float32) for layer in found.layers])


@pytest.fixture
def trained(corpus, tmp_path):
    STUDY.run((corpus, corpus), parser_config(corpus), tmp_path / "model")
    return load_parser(tmp_path / "model")[1]


def test_a_study_trains_and_keeps_a_parser(corpus, tmp_path):
    numbers, state = [], torch.get_rng_state()
    point = STUDY.run(
        (corpus, corpus),
        parser_config(corpus),
        tmp_path / "a" / "model",
        after_epoch=numbers.append,
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert sorted(file.name for file in (tmp_path / "a" / "model").iterdir()) == [CHECKPOINT, CONFIG, WEIGHTS]
    config, model = load_parser(tmp_path / "a" / "model")
    assert config == parser_config(corpus)
    scores, bits = evaluate(model, corpus)
    assert (point.uas, point.las, point.bits_per_token) == (scores.uas, scores.las, pytest.approx(bits))
    assert (point.beta, point.epochs, point.directory) == (0.01, 2, "model")
    assert point.epoch in (1, 2)
    assert [epoch.number for epoch in numbers] == [1, 2]
    assert point.seconds == sum(epoch.seconds for epoch in numbers)


def test_the_seed_decides(corpus, tmp_path):
    points = [
        replace(
            STUDY, training=replace(STUDY.training, seed=seed)
        ).run((corpus, corpus), parser_config(corpus), tmp_path / name)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]  # fmt: skip
    files = [(tmp_path / name / WEIGHTS).read_bytes() for name in "abc"]
    assert replace(points[0], seconds=0, directory="") == replace(points[1], seconds=0, directory="")
    assert files[0] == files[1] != files[2]


def test_what_has_no_rate_says_so(corpus, tmp_path):
    tags = TagSettings("identity")
    point = replace(STUDY, tags=tags).run((corpus, corpus), parser_config(corpus, tags), tmp_path / "model")
    assert point.bits_per_token is None
    assert study.measured(load_parser(tmp_path / "model")[1], corpus).bits_per_token is None


@pytest.mark.parametrize("batch_size", [1, 5, 128])
def test_parsed_sentences_keep_their_order_and_all_but_their_trees(corpus, trained, tmp_path, batch_size):
    advanced = []
    found = study.parsed(trained, corpus, batch_size=batch_size, advance=advanced.append)
    assert sum(advanced) == sum(bool(sentence) for sentence in SENTENCES)
    assert [tree.forms for tree in found] == [tree.forms for tree in corpus.trees]
    assert [tree.lines[0] for tree in found] == [f"# sent_id = tiny-{number}" for number in range(len(SENTENCES))]
    assert any(tree.heads != gold.heads for tree, gold in zip(found, corpus.trees, strict=True))
    write_conllu(tmp_path / "parsed.conllu", found)
    assert list(read_conllu(tmp_path / "parsed.conllu")) == found
    assert found == study.parsed(trained, corpus)


def test_a_parser_measured(corpus, trained):
    scores, bits = evaluate(trained, corpus)
    found = study.measured(trained, corpus, batch_size=3)
    assert (found.uas, found.las, found.clas) == (scores.uas, scores.las, scores.clas)
    assert found.bits_per_token == pytest.approx(bits)
    assert (found.words, found.sentences) == (51, 13)
    assert found.sentences_per_second > 0


def test_unseen_relations_and_parts_of_speech(corpus, trained, tmp_path):
    strange = tiny_corpus(tmp_path, ("She:XYZ:2:strange sells:VERB:0:root",), labels=corpus.labels)
    strange = replace(strange, layers=[layer.astype(np.float32) for layer in strange.layers])
    assert 0 <= study.measured(trained, strange).las <= 0.5
    assert len(study.parsed(trained, strange)[0].heads) == 2


def test_a_sweep_is_its_parsers_one_by_one(corpus, tmp_path):
    """Several lie in folders of their own, a single one in the directory itself; nothing is trained twice."""
    studies = [replace(STUDY, objective=Objective(beta)) for beta in (0.01, 1.0)]
    epochs = []
    settings = {"corpora": (corpus, corpus), "config": parser_config(corpus), "after_epoch": epochs.append}
    points = study.compression_sweep(studies, directory=tmp_path / "sweep", **settings)
    assert [point.directory for point in points] == ["beta-0.01", "beta-1"]
    (alone,) = study.compression_sweep(studies[:1], directory=tmp_path / "alone", **settings)
    assert alone.directory == "."
    assert replace(alone, directory="beta-0.01", seconds=points[0].seconds) == points[0]
    assert len(epochs) == 6
    again = study.compression_sweep(studies, directory=tmp_path / "sweep", **settings)
    assert (again, len(epochs)) == (points, 6)
