"""Parsing: order, batches, everything but the trees unchanged; the public function and its result."""

import json

import numpy as np
import pytest

import nmt_ib
from nmt_ib.compression.saved import load_parser
from nmt_ib.data.conllu import read_conllu, write_conllu
from nmt_ib.errors import RequestError
from nmt_ib.models.embedders import TransformerEmbedder
from nmt_ib.models.vectors import WordVectors, offsets_of
from nmt_ib.results.parsing import Parses
from nmt_ib.studies.parsing.parse import parse_corpus
from tests.tiny_treebank import SENTENCES


@pytest.mark.parametrize("batch_size", [1, 5, 128])
def test_parsed_sentences_keep_their_order_and_all_but_their_trees(corpus, trained, tmp_path, batch_size):
    advanced = []
    trees = parse_corpus(trained, corpus, batch_size=batch_size, advance=advanced.append)
    assert sum(advanced) == sum(bool(sentence) for sentence in SENTENCES)
    assert [tree.forms for tree in trees] == [tree.forms for tree in corpus.trees]
    assert [tree.lines[0] for tree in trees] == [f"# sent_id = tiny-{number}" for number in range(len(SENTENCES))]
    assert any(tree.heads != gold.heads for tree, gold in zip(trees, corpus.trees, strict=True))
    write_conllu(tmp_path / "parsed.conllu", trees)
    assert list(read_conllu(tmp_path / "parsed.conllu")) == trees
    assert trees == parse_corpus(trained, corpus)


def test_unseen_relations_and_parts_of_speech(trained, unseen):
    assert len(parse_corpus(trained, unseen)[0].heads) == 2


@pytest.fixture
def compressed(corpus, tiny_encoder, tmp_path):
    """The run directory of a parser on a tiny encoder in a directory."""
    encoder = tiny_encoder("bert")
    for part in (encoder.model, encoder.tokenizer):
        part.save_pretrained(tmp_path / "encoder")
    settings = {"embedder": tmp_path / "encoder", "dim": 4, "epochs": 1, "layer": 2}
    nmt_ib.compress(corpus.trees, corpus.trees, out=tmp_path / "run", **settings)
    return tmp_path / "run"


def test_sentences_by_name_and_in_memory(compressed, tmp_path):
    lines = ["The old door is red.", "", "no"]
    (tmp_path / "text.en").write_text("\n".join(lines) + "\n", encoding="utf-8")
    parses = nmt_ib.parse(compressed, lines)
    assert parses == nmt_ib.parse(load_parser(compressed), lines) == nmt_ib.parse(str(compressed), tmp_path / "text.en")
    assert [sentence.words for sentence in parses] == [("The", "old", "door", "is", "red", "."), (), ("no",)]
    assert parses[2].heads == (0,)
    assert sorted(parses[0].heads).count(0) == 1


def test_parses_are_a_result(compressed, corpus, tmp_path):
    parses = nmt_ib.parse(compressed, corpus.trees)
    assert Parses.from_dict(json.loads(json.dumps(parses.to_dict()))) == parses
    assert nmt_ib.load_run(parses.save(tmp_path / "saved")) == parses
    assert (tmp_path / "saved" / "parsed.conllu").read_text(encoding="utf-8") == parses.to_conllu()
    assert len(list(read_conllu(tmp_path / "saved" / "parsed.conllu"))) == len(parses) == len(SENTENCES)
    table = parses.to_dataframe()
    assert list(table.columns) == ["sentence", "number", "word", "head", "relation"]
    assert len(table) == sum(len(tree) for tree in corpus.trees)
    assert "<table" in parses._repr_html_()


def test_vectors_of_the_user(compressed, tiny_encoder, tmp_path):
    lines = ["The red house", "", "no dog"]
    words = TransformerEmbedder(tiny_encoder("bert")).vectors([line.split() for line in lines], [2])
    rows = np.concatenate([sentence[0].numpy() for sentence in words]).astype(np.float32)
    np.savez(tmp_path / "words.npz", vectors=rows, lengths=[3, 0, 2])
    parses = nmt_ib.parse(compressed, lines, vectors=tmp_path / "words.npz")
    assert parses.sentences == nmt_ib.parse(compressed, lines).sentences
    assert parses == nmt_ib.parse(compressed, lines, vectors=WordVectors(rows, offsets_of([3, 0, 2])))


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (3, {}, "model is int, expected the directory of a parser"),
        ("nowhere", {}, "nowhere holds no finished parser"),
        (None, {"batch_size": 0}, "batch_size must be at least 1"),
        (None, {"device": "toaster"}, "cannot use the device 'toaster'"),
    ],
)
def test_wrong_requests(compressed, model, settings, message):
    with pytest.raises(RequestError, match=message):
        nmt_ib.parse(compressed if model is None else model, ["no"], **settings)
