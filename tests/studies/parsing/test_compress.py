"""The public function `compress`: its run directory, and settings that do not fit."""

from pathlib import Path

import pytest

import nmt_ib
from nmt_ib.compression.saved import load_parser
from nmt_ib.data.conllu import read_conllu
from nmt_ib.errors import RequestError
from nmt_ib.models.embedders import TransformerEmbedder
from nmt_ib.results.parsing import CompressionSweep
from tests.tiny_treebank import SENTENCES, write_treebank

QUICK = {"dim": 4, "epochs": 2, "batch_size": 4, "layer": 2}


@pytest.fixture
def trees(tmp_path):
    train = list(read_conllu(write_treebank(tmp_path / "train.conllu")))
    return train, train[:5]


@pytest.fixture
def embedder(tiny_encoder):
    return TransformerEmbedder(tiny_encoder("bert"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_treebanks_by_name_and_in_memory_give_the_same_run(trees, embedder, tmp_path):
    write_treebank(tmp_path / "dev.conllu", SENTENCES[:5])
    files = tmp_path / "train.conllu", tmp_path / "dev.conllu"
    sweeps = [
        nmt_ib.compress(*data, out=tmp_path / name, embedder=embedder, beta=[0.01, 1], **QUICK)
        for name, data in (("a", trees), ("b", files))
    ]
    assert sweeps[0] == sweeps[1] == nmt_ib.load_run(tmp_path / "a")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert CompressionSweep.from_dict(sweeps[0].to_dict()) == sweeps[0]
    assert list(sweeps[0].to_dataframe()["beta"]) == [0.01, 1]
    assert "<table" in sweeps[0]._repr_html_()


def test_a_finished_run_is_returned_without_training(trees, embedder, tmp_path, monkeypatch):
    first = nmt_ib.compress(*trees, out=tmp_path / "run", embedder=embedder, **QUICK)
    monkeypatch.setattr("nmt_ib.studies.parsing.compress._train", None)
    assert nmt_ib.compress(*trees, out=tmp_path / "run", embedder=embedder, **QUICK) == first


def test_languages_are_part_of_the_parser(trees, embedder, tmp_path, monkeypatch):
    given = {"source_language": "en", "target_language": "pt", "prefix": "parse: "}
    loaded = []
    monkeypatch.setattr(
        "nmt_ib.studies.parsing.compress.resolve_embedder", lambda name, **settings: loaded.append(settings) or embedder
    )
    nmt_ib.compress(*trees, out=tmp_path / "run", embedder="tiny", pooling="first", device="cpu", **given, **QUICK)
    assert loaded == [given | {"pooling": "first", "device": "cpu"}]
    config = load_parser(tmp_path / "run").config
    assert {name: getattr(config, name) for name in given} == given


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layer": 9}, "layer is 9: .* has layers 0 to 3, or 'mix'"),
        ({"layer": "last"}, "layer is 'last'"),
        ({"beta": []}, "beta is empty"),
        ({"beta": "0.1"}, "beta must be a number, not '0.1'"),
        ({"beta": [0.1, -1]}, "finite and at least 0"),
        ({"beta": [0.1, 1], "tags": "pca"}, "pca tags have no rate term: expected a single beta"),
        ({"tags": "magic"}, "unknown tags 'magic'; known: continuous, "),
        ({"dim": 0}, "dim must be at least 1, not 0"),
        ({"num_tags": 1}, "num_tags must be at least 2"),
        ({"max_sentences": 0}, "max_sentences must be at least 1"),
        ({"gamma": "much"}, "gamma must be a number"),
        ({"embedder": 3}, "model is int, expected a name or what load_embedder returns"),
        ({"pooling": "mean"}, "pooling belongs to a loaded model already"),
        ({"device": "toaster"}, "cannot use the device 'toaster'"),
    ],
    ids=str,
)
def test_wrong_requests(trees, embedder, tmp_path, settings, message):
    with pytest.raises(RequestError, match=message):
        nmt_ib.compress(*trees, **{"out": tmp_path / "run", "embedder": embedder, **QUICK, **settings})
