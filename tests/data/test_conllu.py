"""Treebanks: trees by hand, and every sentence of the real ones where they are at hand."""

import gzip
from pathlib import Path

import pytest

from nmt_ib.data.conllu import read_conllu
from nmt_ib.errors import RequestError

TREEBANKS = sorted((Path(__file__).parents[3] / "shared" / "data").glob("ud-*/*.conllu.gz"))
TREE = """# text = Don't go to Rio.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\t_\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\t_\t_\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\t_\t_\t0\troot\t_\t_
3.1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_
4\tto\tto\tADP\t_\t_\t5\tcase\t_\t_
5\tRio\tRio\tPROPN\t_\t_\t3\tobl\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_
"""


def test_a_tree(tmp_path):
    path = tmp_path / "one.conllu"
    path.write_text(TREE)
    (tree,) = read_conllu(path)
    assert tree.text == "Don't go to Rio."
    assert tree.forms == ("Do", "n't", "go", "to", "Rio", ".")
    assert tree.spans == ((0, 5), (0, 5), (6, 8), (9, 11), (12, 15), (15, 16))
    assert tree.heads == (2, 2, -1, 4, 2, 2)
    assert tree.descendants(4) == [3, 4]
    assert tree.descendants(2) == [0, 1, 2, 3, 4, 5]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "bad.conllu"
    path.write_text(TREE + "\n1\tonly\tthree\n\n")
    with pytest.raises(RequestError, match="line 11: expected ten columns, found 3"):
        list(read_conllu(path))


def test_no_file():
    with pytest.raises(RequestError, match="there is no file"):
        next(read_conllu("nowhere.conllu"))


@pytest.mark.skipif(not TREEBANKS, reason="needs treebanks in ../shared/data")
@pytest.mark.parametrize("path", [path for path in TREEBANKS if "train" not in path.name], ids=lambda path: path.name)
def test_texts_are_rebuilt(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [line.removeprefix("# text = ").rstrip("\n") for line in file if line.startswith("# text = ")]
    trees = list(read_conllu(path))
    assert [tree.text for tree in trees] == [text.rstrip() for text in texts]
    assert all(tree.heads.count(-1) == 1 for tree in trees)


@pytest.mark.skipif(not TREEBANKS, reason="needs treebanks in ../shared/data")
def test_counts_are_the_treebanks_own():
    # Origin: stats.xml of UD English EWT 2.16: 2,001 sentences and 25,147 syntactic words in dev.
    trees = list(read_conllu(next(path for path in TREEBANKS if path.name == "en_ewt-ud-dev.conllu.gz")))
    assert (len(trees), sum(map(len, trees))) == (2_001, 25_147)
