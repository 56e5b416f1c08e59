"""Treebanks: trees by hand, and every sentence of the real ones where they are at hand."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from nmt_ib.data.conllu import format_tree, read_conllu, with_heads, words_tree, write_conllu
from nmt_ib.errors import RequestError
from nmt_ib.types import Word

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


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("change", [lambda t: t, lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff\n" + t + "\n\n"])
def test_line_ends_do_not_matter(tmp_path, change):
    trees = [next(read_conllu(write(tmp_path / name, text))) for name, text in [("a", TREE), ("b", change(TREE))]]
    assert trees[0] == trees[1]


def test_text_without_a_comment_is_put_together(tmp_path):
    bare = TREE.partition("\n")[2].replace("SpaceAfter=No", "Cite=a|SpaceAfter=No")
    assert next(read_conllu(write(tmp_path / "one", bare))).text == "Don't go to Rio."
    other = bare.replace("|SpaceAfter=No", "|CorrectSpaceAfter=No")
    assert next(read_conllu(write(tmp_path / "two", other))).text == "Don't go to Rio ."


@pytest.mark.parametrize("blank", ["\u00a0", "  ", "\u3000"])
def test_blanks_are_those_of_the_text(tmp_path, blank):
    (tree,) = read_conllu(write(tmp_path / "one", TREE.replace("to Rio.", f"to{blank}Rio.")))
    assert tree.text == f"Don't go to{blank}Rio."
    assert [tree.text[start:end] for start, end in tree.spans] == ["Don't", "Don't", "go", "to", "Rio", "."]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("6\t.\t.\tPUNCT", "6\t.", "line 9: expected ten columns, found 8"),
        ("3.1\t", "x\t", "line 6: expected an id such as .* found 'x'"),
        ("4\tto\t", "4\t\t", "line 7: column 2 is empty"),
        ("4\tto", "7\tto", "line 7: its id is 7, but that of the previous word was 3"),
        ("3.1\t", "4.1\t", "line 6: its id is 4.1, but that of the previous word was 3"),
        ("1-2\t", "2-3\t", "line 2: its id is 2-3, but that of the previous word was 0"),
        ("1-2\t", "1-0\t", "line 2: the range 1-0 is empty"),
        ("1-2\t", "1-9\t", "line 2: the range 1-9 exceeds the sentence's 6 words"),
        ("2\tn't", "2-3\tn't\t_\t_\t_\t_\t_\t_\t_\t_\n2\tn't", "line 4: the range 2-3 .* begins inside another"),
        ("5\tcase", "7\tcase", "line 7: the head of word 4 is '7', expected 0 to 6"),
        ("5\tcase", "_\tcase", "line 7: the head of word 4 is '_'"),
        ("5\tcase", "-1\tcase", "line 7: the head of word 4 is '-1'"),
        ("5\tcase", "0\tcase", "line 7: expected exactly one root, found 2"),
        ("0\troot", "1\troot", "line 3: expected exactly one root, found 0"),
        ("3\tobl", "4\tobl", "line 7: the heads of some words form a cycle, 4 -> 5 -> 4"),
        ("3\tobl", "5\tobl", "line 8: the heads of some words form a cycle, 5 -> 5"),
        ("to Rio.", "to Porto.", "line 8: 'Rio' is not at character 12"),
        ("Rio.\n", "Rio. Now\n", "line 9: the text ends with 'Now', for which there is no word"),
    ],
)
def test_damage_is_one_line(tmp_path, old, new, message):
    assert old in TREE
    with pytest.raises(RequestError, match=message) as caught:
        list(read_conllu(write(tmp_path / "bad.conllu", TREE.replace(old, new, 1))))
    assert "\n" not in str(caught.value)


def test_what_comes_before_the_damage_is_read(tmp_path):
    trees = read_conllu(write(tmp_path / "bad.conllu", TREE + "\n1\tonly\tthree\n\n"))
    assert next(trees).text == "Don't go to Rio."
    with pytest.raises(RequestError, match="line 11: expected ten columns, found 3"):
        next(trees)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(RequestError, match="there is no file"):
        next(read_conllu("nowhere.conllu"))
    (tmp_path / "bad.conllu").write_bytes(TREE.replace("Rio", "S\xe3o").encode("latin-1"))
    with pytest.raises(RequestError, match="line 1: not UTF-8"):
        list(read_conllu(tmp_path / "bad.conllu"))


PARSED = """# text = Don't go to Rio.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\t_\t_\t0\troot\t_\t_
2\tn't\tnot\tPART\t_\t_\t1\tadvmod:emph\t_\t_
3\tgo\tgo\tVERB\t_\t_\t2\tdep\t_\t_
4\tto\tto\tADP\t_\t_\t3\tdep\t_\t_
5\tRio\tRio\tPROPN\t_\t_\t4\tdep\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t_\t_\t5\tpunct\t_\t_

"""


def test_a_parsers_tree_keeps_all_but_the_enhanced_graph(tmp_path):
    enhanced = TREE.replace("3\tobl\t_", "3\tobl\t3:obl:to|3.1:obl")
    (tree,) = read_conllu(write(tmp_path / "one", enhanced))
    relations = ("root", "advmod:emph", "dep", "dep", "dep", "punct")
    parsed = with_heads(tree, (-1, 0, 1, 2, 3, 4), relations)
    assert format_tree(parsed) == PARSED
    assert list(read_conllu(write(tmp_path / "two", PARSED))) == [parsed]
    with pytest.raises(ValueError, match="argument 2 is longer"):
        with_heads(tree, (-1, 0, 1, 2, 3, 4, 5), (*relations, "dep"))


def test_a_sentence_without_heads_is_read_to_be_parsed(tmp_path):
    bare = PARSED.replace("\t0\troot", "\t_\t_").replace("\t4\tdep", "\t_\t_")
    (tree,) = read_conllu(write(tmp_path / "one", bare), heads=False)
    assert (len(tree), tree.heads, tree.relations) == (6, (), ())
    assert format_tree(tree) == bare
    relations = ("root", "advmod:emph", "dep", "dep", "dep", "punct")
    assert format_tree(with_heads(tree, range(-1, 5), relations)) == PARSED


def test_an_empty_sentence_is_kept(tmp_path):
    text = f"# newdoc\n# text = \n\n{TREE}\n# the end\n\n"
    path = write(tmp_path / "one", text)
    trees = list(read_conllu(path))
    assert [len(tree) for tree in trees] == [0, 6, 0]
    assert (trees[0].text, trees[2].text, with_heads(trees[0], (), ())) == ("", "", trees[0])
    write_conllu(tmp_path / "two", trees)
    assert (tmp_path / "two").read_bytes() == path.read_bytes()


def test_bare_words_become_a_sentence(tmp_path):
    text = " Don't go  now."
    spans = [(1, 3), (3, 6), (7, 9), (11, 14), (14, 15)]
    tree = words_tree(text, [Word(text[start:end], start, end, "X" if end == 9 else "") for start, end in spans])
    columns = [line.split("\t") for line in tree.lines[1:]]
    assert tree.lines[0] == "# text = Don't go  now."
    assert [row[1] for row in columns] == ["Do", "n't", "go", "now", "."]
    assert [row[3] for row in columns] == ["_", "_", "X", "_", "_"]
    assert [row[9] for row in columns] == ["SpaceAfter=No", "_", "_", "SpaceAfter=No", "_"]
    assert all(len(row) == 10 for row in columns)
    write_conllu(tmp_path / "one", [tree, words_tree("  ", [])])
    again, empty = read_conllu(tmp_path / "one", heads=False)
    assert (again.lines, again.forms, again.upos) == (tree.lines, tree.forms, tree.upos)
    assert again.spans == tuple((start - 1, end - 1) for start, end in spans)  # a comment has no blank at its start
    assert (empty.lines, empty.text, len(empty)) == (("# text =",), "", 0)


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(RequestError, match="cannot write .*nowhere/one: No such file"):
        write_conllu(tmp_path / "nowhere" / "one", [])


# Origin: stats.xml of each treebank (sentences, syntactic words, multi-word tokens), release 2.16.
COUNTS = {
    "en_ewt-ud-train": (12_544, 204_577, 2_614),
    "en_ewt-ud-dev": (2_001, 25_147, 359),
    "en_ewt-ud-test": (2_077, 25_094, 354),
    "pt_bosque-ud-train": (7_018, 171_776, 12_790),
    "pt_bosque-ud-dev": (1_172, 28_447, 2_063),
    "pt_bosque-ud-test": (1_167, 27_604, 2_015),
    "fr_sequoia-ud-train": (2_231, 50_502, None),
    "fr_sequoia-ud-dev": (412, 9_999, None),
    "fr_sequoia-ud-test": (456, 10_044, None),
}
needs_treebanks = pytest.mark.skipif(not TREEBANKS, reason="needs treebanks in ../shared/data")


def comments(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [line.removeprefix("# text = ").rstrip("\n") for line in file if line.startswith("# text = ")]


@needs_treebanks
@pytest.mark.parametrize("path", TREEBANKS, ids=lambda path: path.name)
def test_treebanks_are_read_whole(path):
    trees = list(read_conllu(path))
    assert [tree.text for tree in trees] == comments(path)
    assert all(tree.heads.count(-1) == 1 for tree in trees)
    sentences, words, shared = COUNTS[path.name.removesuffix(".conllu.gz")]
    assert (len(trees), sum(map(len, trees))) == (sentences, words)
    if shared is not None:
        assert sum(count > 1 for tree in trees for count in Counter(tree.spans).values()) == shared


@needs_treebanks
@pytest.mark.parametrize("path", [path for path in TREEBANKS if "-test" in path.name], ids=lambda path: path.name)
def test_texts_put_together_are_those_of_the_comments(path, tmp_path):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        bare = write(tmp_path / "bare", "".join(line for line in file if not line.startswith("# text = ")))
    # Which blank it was, only the comment tells: one sentence of EWT has a no-break space.
    assert [tree.text.split() for tree in read_conllu(bare)] == [text.split() for text in comments(path)]


@needs_treebanks
@pytest.mark.parametrize("path", TREEBANKS, ids=lambda path: path.name)
def test_treebanks_come_out_as_they_went_in(path, tmp_path):
    write_conllu(tmp_path / "copy", read_conllu(path))
    assert (tmp_path / "copy").read_bytes() == gzip.decompress(path.read_bytes())


@needs_treebanks
@pytest.mark.parametrize("path", [path for path in TREEBANKS if "-dev" in path.name], ids=lambda path: path.name)
def test_parsed_treebanks_change_in_two_columns_only(path, tmp_path):
    trees = list(read_conllu(path))
    chains = [with_heads(tree, range(-1, len(tree) - 1), ["root"] + ["dep"] * (len(tree) - 1)) for tree in trees]
    write_conllu(tmp_path / "parsed", chains)
    assert list(read_conllu(tmp_path / "parsed")) == chains
    restored = [with_heads(chain, tree.heads, tree.relations) for chain, tree in zip(chains, trees, strict=True)]
    for tree, other in zip(trees, restored, strict=True):
        rows = [line.split("\t") for line in tree.lines if not line.startswith("#") and "." not in line.split("\t")[0]]
        others = [line.split("\t") for line in other.lines if not line.startswith("#")]
        assert [row[:8] + row[9:] for row in rows] == [row[:8] + row[9:] for row in others]
        assert {row[8] for row in others} == {"_"}
