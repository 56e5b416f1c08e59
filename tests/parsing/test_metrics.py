"""UAS, LAS and CLAS: by hand, and equal to the official scorer to the last digit."""

import random
from pathlib import Path

import pytest

from nmt_ib.data.conllu import read_conllu, with_heads, words_tree, write_conllu
from nmt_ib.parsing.metrics import ParsingScores, score_tree
from nmt_ib.types import Word

DATA = Path(__file__).parents[3] / "shared" / "data"
TREEBANKS = [
    DATA / "ud-english-ewt" / "en_ewt-ud-dev.conllu.gz",
    DATA / "ud-portuguese-bosque" / "pt_bosque-ud-dev.conllu.gz",
]


def tree(heads, relations):
    words = [Word("a", 2 * place, 2 * place + 1) for place in range(len(heads))]
    return with_heads(words_tree(" ".join("a" * len(heads)), words), heads, relations)


def test_counts_by_hand():
    gold = tree((1, -1, 3, 1, 1), ("nsubj", "root", "det", "obl:tmod", "punct"))
    scores = score_tree(gold, (1, -1, 1, 1, 1), ("obj", "root", "det", "obl:agent", "dep"))
    # Right heads: all but the determiner's. Right relations: root, det and obl; dep is content, punct is not.
    assert scores == ParsingScores(5, 4, 2, 3, 4, 2)
    assert (scores.uas, scores.las, scores.clas) == (4 / 5, 2 / 5, 2 * 2 / (3 + 4))


def test_scores_add_up():
    gold = tree((-1, 0), ("root", "obj"))
    right, wrong = score_tree(gold, gold.heads, gold.relations), score_tree(gold, (1, -1), ("dep", "root"))
    assert sum([right, wrong], ParsingScores()) == ParsingScores(4, 2, 2, 4, 4, 2)
    assert (right.uas, right.las, right.clas, wrong.uas) == (1, 1, 1, 0)


def test_no_words_score_nothing():
    scores = score_tree(tree((), ()), (), ())
    assert scores == ParsingScores()
    assert (scores.uas, scores.las, scores.clas) == (0, 0, 0)


def damaged(tree, relations, generator):
    """Some words hang elsewhere, as long as it stays a tree, or have another relation, or one that UD does not know."""
    heads, names = list(tree.heads), list(tree.relations)
    for word in range(len(tree)):
        head = generator.randrange(len(tree))
        moved = with_heads(tree, heads, names)
        if generator.random() < 0.2 and heads[word] != -1 and head not in moved.descendants(word):
            heads[word] = head
        if generator.random() < 0.2:
            names[word] = generator.choice(relations)
    return with_heads(tree, heads, names)


@pytest.mark.parametrize("path", TREEBANKS, ids=lambda path: path.name)
def test_equal_to_the_official_scorer(path, tmp_path):
    official = pytest.importorskip("udtools.udeval", reason="needs udtools, the extra `eval`")
    if not path.exists():
        pytest.skip("needs treebanks in ../shared/data")
    generator = random.Random(0)
    gold = list(read_conllu(path))
    relations = ["gibberish", *sorted({relation for tree in gold for relation in tree.relations})]
    predicted = [damaged(tree, relations, generator) for tree in gold]

    def loaded(name, trees):
        write_conllu(tmp_path / name, trees)
        with open(tmp_path / name, encoding="utf-8") as file:
            return official.load_conllu(file, name, {})

    truth = official.evaluate(loaded("gold", gold), loaded("predicted", predicted))
    pairs = zip(gold, predicted, strict=True)
    ours = sum((score_tree(tree, other.heads, other.relations) for tree, other in pairs), ParsingScores())
    assert (ours.uas, ours.las, ours.clas) == (truth["UAS"].f1, truth["LAS"].f1, truth["CLAS"].f1)
    assert (ours.correct_content_edges, ours.content_words) == (truth["CLAS"].correct, truth["CLAS"].gold_total)
    assert 0.5 < ours.clas < ours.las < ours.uas < 0.95
