"""Tiny models in directories, as a user would name them."""

import json
from functools import cache

import pytest

from nmt_ib.cli.main import main
from tests.cli.parsing_commands import QUICK
from tests.tiny_treebank import SENTENCES, write_treebank


@pytest.fixture(scope="session")
def saved(tiny_model, tiny_encoder, tmp_path_factory):
    """Name of a tiny model -> a directory in Hugging Face form."""

    @cache
    def save(name):
        model = tiny_model(name).model if name == "marian" else tiny_encoder(name)
        folder = tmp_path_factory.mktemp("models") / name
        model.model.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        return str(folder)

    return save


@pytest.fixture
def treebanks(tmp_path, monkeypatch):
    """Treebanks in the working directory, where vectors are kept, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_treebank(tmp_path / "train.conllu")
    write_treebank(tmp_path / "dev.conllu", SENTENCES[:5])
    return tmp_path


@pytest.fixture
def run(capsys, saved, treebanks):
    """Types a command among the treebanks -> its status and what it printed; `compress` gets a tiny encoder."""

    def typed(*arguments):
        embedder = ("--embedder", saved("bert")) if arguments[0] == "compress" else ()
        capsys.readouterr()  # transformers' own words when a model was saved
        with pytest.raises(SystemExit) as exit_:
            main([str(each) for each in (arguments[0], *embedder, *arguments[1:])])
        captured = capsys.readouterr()
        return exit_.value.code, captured.out, captured.err

    return typed


@pytest.fixture
def compress(run):
    """Trains a tiny parser -> what the command printed."""

    def trained(*arguments, out="model"):
        status, printed, errors = run(
            "compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--out", out, "--json", *arguments
        )
        assert (status, errors) == (0, "")
        return json.loads(printed)

    return trained
