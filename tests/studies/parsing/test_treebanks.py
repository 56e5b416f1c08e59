"""Treebanks and texts by name or in memory, and samples of them."""

from pathlib import Path

import pytest

from nmt_ib.data.conllu import read_conllu
from nmt_ib.errors import RequestError
from nmt_ib.studies.parsing.treebanks import open_sentences, open_treebank, sample_sentences
from tests.tiny_treebank import conllu, write_treebank


def test_a_sample_keeps_the_order():
    trees = list(range(20))
    sample = sample_sentences(trees, 7, 0)
    assert len(set(sample)) == 7
    assert sample == sorted(sample) == sample_sentences(trees, 7, 0) != sample_sentences(trees, 7, 1)
    assert all(sample_sentences(trees, count, 0) == trees for count in (None, 20, 99))


def test_a_treebank_by_name_or_in_memory(tmp_path):
    path = write_treebank(tmp_path / "tiny.conllu")
    trees = list(read_conllu(path))
    assert open_treebank(path, "train") == open_treebank(str(path), "train") == open_treebank(trees, "train") == trees


@pytest.mark.parametrize("suffix", [".conllu", ".conllu.gz"])
def test_sentences_of_a_treebank_have_no_heads(tmp_path, suffix):
    import gzip

    text = conllu().encode()
    path = tmp_path / f"tiny{suffix}"
    path.write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    sentences = open_sentences(path, "en")
    assert [tree.forms for tree in sentences] == [tree.forms for tree in read_conllu(path)]
    assert not any(tree.heads for tree in sentences)


def test_a_text_is_split_into_words(tmp_path):
    lines = ["Stop!", "", "no"]
    (tmp_path / "text").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for sentences in (tmp_path / "text", lines):
        assert [tree.forms for tree in open_sentences(sentences, "en")] == [("Stop", "!"), (), ("no",)]
        assert [tree.forms for tree in open_sentences(sentences, None)] == [("Stop!",), (), ("no",)]


def test_trees_are_taken_as_they_are(tmp_path):
    trees = list(read_conllu(write_treebank(tmp_path / "tiny.conllu")))
    assert open_sentences(trees, "en") == trees
    assert open_sentences([], "en") == []


@pytest.mark.parametrize(
    ("opened", "message"),
    [
        (lambda: open_treebank(Path("nowhere.conllu"), "dev"), "there is no file nowhere.conllu"),
        (lambda: open_treebank([], "dev"), "dev has no words"),
        (lambda: open_treebank(["a tree"], "dev"), r"dev\[0\] is str, expected a Tree"),
        (lambda: open_treebank(open_sentences(["no heads"], "en"), "dev"), r"dev\[0\] has no dependency tree"),
        (lambda: open_treebank(3, "dev"), "dev: expected the name of a file, or a list, not int"),
        (lambda: open_sentences(["a", 3], "en"), r"sentences\[0\] is str, expected a Tree"),
    ],
)
def test_wrong_requests(opened, message):
    with pytest.raises(RequestError, match=message):
        opened()
