"""From treebanks to vectors, to a trained parser, to its trees, on a tiny encoder."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import TagSettings, WordShape
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.saved import CONFIG, WEIGHTS, ParserConfig, load_parser
from nmt_ib.compression.training import CHECKPOINT, TrainingSettings, evaluate
from nmt_ib.data.conllu import read_conllu, write_conllu
from nmt_ib.errors import RequestError
from nmt_ib.models.embedders import TransformerEmbedder
from nmt_ib.models.vectors import WordVectors, offsets_of
from nmt_ib.parsing.biaffine import ParserSettings
from nmt_ib.studies import compressed_parsing as study
from tests.tiny_treebank import SENTENCES, tiny_corpus, write_treebank

SMALL = ParserSettings(hidden=4, arc=4, label=4)
STUDY = study.CompressionStudy(
    TagSettings("continuous", dim=5), Objective(0.01), SMALL, TrainingSettings(epochs=2, batch_size=4)
)


def config_of(corpus, tags=STUDY.tags, **changes):
    shape = WordShape(corpus.layers[0].shape[1], 0 if corpus.types is None else corpus.types.shape[1], 9)
    layers = tuple(range(len(corpus.layers)))
    return replace(ParserConfig("tiny", "first", "0" * 16, layers, shape, corpus.labels, tags, SMALL), **changes)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def corpus(tmp_path):
    """In float32, as embedders give it."""
    found = tiny_corpus(tmp_path)
    return replace(found, layers=[layer.astype(np.float32) for layer in found.layers])


@pytest.fixture
def embedder(tiny_encoder):
    return TransformerEmbedder(tiny_encoder("bert"))


@pytest.fixture
def trained(corpus, tmp_path):
    STUDY.run((corpus, corpus), config_of(corpus), tmp_path / "model")
    return load_parser(tmp_path / "model")[1]


def test_a_study_trains_and_keeps_a_parser(corpus, tmp_path):
    numbers, state = [], torch.get_rng_state()
    point = STUDY.run(
        (corpus, corpus), config_of(corpus), tmp_path / "a" / "model", after_epoch=lambda epoch: numbers.append(epoch)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert sorted(file.name for file in (tmp_path / "a" / "model").iterdir()) == [CHECKPOINT, CONFIG, WEIGHTS]
    config, model = load_parser(tmp_path / "a" / "model")
    assert config == config_of(corpus)
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
        ).run((corpus, corpus), config_of(corpus), tmp_path / name)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]  # fmt: skip
    files = [(tmp_path / name / WEIGHTS).read_bytes() for name in "abc"]
    assert replace(points[0], seconds=0, directory="") == replace(points[1], seconds=0, directory="")
    assert files[0] == files[1] != files[2]


def test_what_has_no_rate_says_so(corpus, tmp_path):
    tags = TagSettings("identity")
    point = replace(STUDY, tags=tags).run((corpus, corpus), config_of(corpus, tags), tmp_path / "model")
    assert point.bits_per_token is None
    assert study.measured(load_parser(tmp_path / "model")[1], corpus).bits_per_token is None


def test_a_sample_keeps_the_order():
    trees = list(range(20))
    found = study.sampled(trees, 7, 0)
    assert len(set(found)) == 7
    assert found == sorted(found) == study.sampled(trees, 7, 0) != study.sampled(trees, 7, 1)
    assert study.sampled(trees, None, 0) == study.sampled(trees, 20, 0) == study.sampled(trees, 99, 0) == trees


def test_words_get_the_embedder_s_vectors(tmp_path, embedder):
    trees = list(read_conllu(write_treebank(tmp_path / "tiny.conllu")))
    advanced = []
    corpus = study.embedded(trees, embedder, [2, 0], types=True, advance=advanced.append)
    assert corpus.labels == Labels.of(trees)
    assert sum(advanced) == len(trees)
    vectors = torch.cat(embedder.vectors([tree.forms for tree in trees], [2, 0]), dim=1)
    types = embedder.types([form for tree in trees for form in tree.forms])
    for found, expected in zip(corpus.layers, vectors, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(corpus.types[corpus.type_rows], types, atol=1e-6)
    again = study.embedded(trees, embedder, [2], Labels(("root",), ()), advance=advanced.append)
    assert again.labels.relations == ("root",)
    assert again.types is None
    assert sum(advanced) == len(trees)  # the second time they come from the cache


def test_another_embedder_of_the_same_name_is_refused(corpus, embedder, monkeypatch):
    asked = []
    monkeypatch.setattr(study, "load_embedder", lambda name, **settings: asked.append((name, settings)) or embedder)
    config = config_of(corpus, embedder_fingerprint=embedder.fingerprint, pooling="mean")
    assert study.embedder_of(config) is embedder
    assert study.embedder_of(replace(config, pooling="")) is embedder  # ELMo's words have no pieces
    assert asked == [("tiny", {"device": "cpu", "pooling": "mean"}), ("tiny", {"device": "cpu"})]
    with pytest.raises(RequestError, match="tiny is not what the parser was trained with"):
        study.embedder_of(config_of(corpus))


def brought(corpus):
    return WordVectors(corpus.layers[0], offsets_of([len(tree) for tree in corpus.trees]))


def test_vectors_that_a_user_brings(corpus, trained):
    given = study.given_vectors(corpus.trees, brought(corpus), config_of(corpus), where="x.npz")
    assert study.parsed(trained, given) == study.parsed(trained, corpus)


@pytest.mark.parametrize("which", ["width", "lengths", "layers"])
def test_vectors_of_others_are_refused(corpus, tmp_path, which):
    vectors, config, trees = brought(corpus), config_of(corpus), corpus.trees
    if which == "width":
        config, message = config_of(tiny_corpus(tmp_path, width=7)), "vectors of 6 dimensions, the parser reads 7"
    elif which == "lengths":
        trees, message = trees[1:], "x.npz: vectors of 13 sentences, the text has 12"
    else:
        config, message = config_of(tiny_corpus(tmp_path, layers=2)), "reads a mix of 2 layers"
    with pytest.raises(RequestError, match=message):
        study.given_vectors(trees, vectors, config, where="x.npz")


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
