"""A corpus is read once, whatever it is, and gives its lines as often as needed."""

import gzip
from itertools import islice

import pytest

from nmt_ib.data import corpus as module
from nmt_ib.data.corpus import open_corpus, open_parallel
from nmt_ib.errors import RequestError

LINES = ["one", "", "two \u2028 parts", "ünï", "last\r middle"]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "news.en"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8", newline="\n")
    return path


@pytest.mark.parametrize("in_memory", [1, 1 << 20])
def test_a_file_and_a_list_are_the_same_corpus(path, in_memory, monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", in_memory)
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    corpora = [open_corpus(source) for source in (LINES, path, str(packed))]
    for corpus in corpora:
        assert list(corpus) == list(corpus) == LINES
        assert len(corpus) == len(LINES)
        assert corpus.characters == sum(map(len, LINES))
        assert corpus.fingerprint == corpora[0].fingerprint
        assert list(corpus.chunks(2, 2)) == [LINES[2:4], LINES[4:]]


def test_iterators_do_not_disturb_each_other(path):
    corpus = open_corpus(path)
    pairs = zip(corpus, islice(corpus, 1, None), strict=False)
    assert list(pairs) == list(zip(LINES, LINES[1:], strict=False))


def test_a_text_is_opened_once(path):
    names = []

    def read(name):
        names.append(name)
        return iter(LINES)

    corpus = open_corpus(path, read=read)
    assert list(corpus) == list(corpus) == LINES
    assert names == [str(path)]


def test_only_the_first_sentences(path):
    assert list(open_corpus(path, max_sentences=2)) == LINES[:2]
    assert list(open_corpus(LINES, max_sentences=2)) == LINES[:2]


def test_a_lone_surrogate_in_a_list_is_kept():
    assert list(open_corpus(["\ud800"])) == ["\ud800"]


@pytest.mark.parametrize(
    ("source", "message"),
    [(3, "expected a list of sentences or the name of a text, not int"), (["a", 3], r"targets\[1\] is int")],
)
def test_other_things_are_refused(source, message):
    with pytest.raises(RequestError, match=message):
        open_corpus(source, "targets")


def test_an_empty_text_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(RequestError, match="empty is empty"):
        open_corpus(tmp_path / "empty")


def test_parallel_corpora_have_as_many_lines(path):
    assert list(open_parallel({"sources": path, "targets": LINES})["targets"]) == LINES
    with pytest.raises(RequestError, match=r"5 lines and targets has 1: expected the same number"):
        open_parallel({"sources": path, "targets": ["a"]})
