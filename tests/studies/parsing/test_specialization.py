"""What tags stand for: a table by hand, probes of parts of speech, and figures."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.compression.kinds import TagSettings, WordShape, compressor
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.saved import ParserConfig, load_parser, save_parser
from nmt_ib.errors import RequestError
from nmt_ib.parsing.biaffine import BiaffineParser, ParserSettings
from nmt_ib.reports.png.parsing import write_sweep_figure, write_tag_pictures
from nmt_ib.results.parsing import CompressionPoint, CompressionSweep
from nmt_ib.studies.parsing import specialization as study
from tests.tiny_treebank import tiny_corpus

SMALL = ParserSettings(hidden=4, arc=4, label=4)


@pytest.fixture
def corpus(tmp_path):
    """Words whose vectors say which part of speech they have, and nothing else."""
    found = tiny_corpus(tmp_path)
    upos = [found.labels.upos.index(name) for name in study.forms_and_upos(found)[1]]
    return replace(found, layers=[np.eye(len(found.labels.upos), dtype=np.float32)[upos]])


def parser(corpus, tags):
    made = compressor(tags, WordShape(corpus.layers[0].shape[1], 0, len(corpus.labels.upos)))
    return CompressedParser(made, BiaffineParser(made.width, len(corpus.labels.relations), SMALL))


def informative(corpus, tags=None):
    """A parser with one discrete tag for each part of speech, or for what `tags` says."""
    width = corpus.layers[0].shape[1]
    model = parser(corpus, TagSettings("discrete", dim=width, num_tags=width))
    layer = model.compressor.token_encoder.layers[0]
    with torch.no_grad():
        layer.weight.copy_(100 * torch.eye(width)[tags or list(range(width))].T)
        layer.bias.zero_()
        model.compressor.tag_vectors.weight.copy_(torch.eye(width))
    return model.eval()


def test_the_table_counts_tags(corpus):
    forms, upos = study.forms_and_upos(corpus)
    table = study.tag_table(informative(corpus), corpus)
    assert sum(row.words for row in table) == len(forms) == len(corpus.layers[0])
    assert [row.words for row in table] == sorted((upos.count(name) for name in set(upos)), reverse=True)
    for row in table:
        ((name, share),) = row.upos
        assert (name, share) == (corpus.labels.upos[row.tag], 1.0)
        assert row.share == pytest.approx(upos.count(name) / len(upos))
        mine = [form for form, tag in zip(forms, upos, strict=True) if tag == name]
        assert dict(row.forms)[mine[0]] == pytest.approx(mine.count(mine[0]) / len(mine))
    shares = [upos.count(name) / len(upos) for name in set(upos)]
    assert table.entropy_bits == pytest.approx(-sum(share * math.log2(share) for share in shares))
    assert (table.homogeneity, table.completeness, table.v_measure) == pytest.approx((1, 1, 1))


def test_tags_that_join_parts_of_speech_tell_less_of_them(corpus):
    tags = list(range(len(corpus.labels.upos)))
    tags[1] = tags[0]
    table = study.tag_table(informative(corpus, tags), corpus)
    assert len(table) == len(set(study.forms_and_upos(corpus)[1])) - 1
    assert table.completeness == pytest.approx(1)
    assert table.homogeneity < 0.95
    assert {name for name, _ in table[0].upos} == set(corpus.labels.upos[:2])
    lines = table.to_tsv().splitlines()
    assert len(lines) == 1 + len(table)
    assert lines[0].split("\t") == ["tag", "words", "share", "parts of speech", "most frequent words"]
    assert "<table" in table._repr_html_()


def test_tags_must_be_discrete(corpus):
    with pytest.raises(RequestError, match="not discrete"):
        study.tag_table(parser(corpus, TagSettings("continuous", dim=3)), corpus)


def test_samples_of_discrete_tags_are_tags_also_when_loaded(corpus, tmp_path):
    model = parser(corpus, TagSettings("discrete", dim=6, num_tags=5))
    shape = WordShape(corpus.layers[0].shape[1], 0, len(corpus.labels.upos))
    tags = TagSettings("discrete", dim=6, num_tags=5)
    save_parser(tmp_path, ParserConfig("tiny", "", "0", (0,), shape, corpus.labels, tags, SMALL), model)
    loaded = load_parser(tmp_path).model
    values = study.sampled_tags(loaded, corpus)
    known = loaded.compressor.tag_vectors.weight.T.numpy()
    nearest = np.square(values[:, None] - known).sum(2).min(1)
    assert values.shape == (len(corpus.layers[0]), 6)
    assert nearest.max() < 1e-12
    assert np.array_equal(values, study.sampled_tags(loaded, corpus))
    assert not np.array_equal(values, study.sampled_tags(loaded, corpus, seed=1))


def test_parts_of_speech_are_distinguished_where_tags_differ(corpus):
    found = study.probe_pos(informative(corpus), corpus, corpus)
    assert found.accuracy == 1
    assert set(found.recall.values()) == {1.0}
    assert found.confusions == ()
    tags = list(range(len(corpus.labels.upos)))
    tags[1] = tags[0]
    joined = study.probe_pos(informative(corpus, tags), corpus, corpus)
    gold, other, share = joined.confusions[0]
    assert {gold, other} == set(corpus.labels.upos[:2])
    assert share == 1
    assert joined.recall[gold] == 0
    assert joined.accuracy < 1


def test_neighbours_are_the_nearest_words():
    values = np.array([[0.0, 0], [1, 0], [0, 3], [0.5, 0]])
    assert study.nearest_words(values, 0, 2).tolist() == [3, 1]


def test_pictures_are_written(tmp_path):
    places = study.tsne(np.random.default_rng(0).normal(size=(40, 5)))
    assert places.shape == (40, 2)
    (file,) = write_tag_pictures(tmp_path, {"a": places, "b": places}, ["NOUN", "VERB"] * 20)
    assert file.read_bytes().startswith(b"\x89PNG")
    points = [CompressionPoint(beta, bits, 0.9, 0.8, 1, 1, ".") for beta, bits in ((0.1, 0.0), (1.0, 0.0), (0.01, 50))]
    sweep = CompressionSweep(tuple(points), {"seed": 0})
    assert CompressionSweep.from_dict(sweep.to_dict()) == sweep
    (file,) = write_sweep_figure(tmp_path, sweep)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert write_sweep_figure(tmp_path, CompressionSweep((replace(points[0], bits_per_token=None),))) == []
