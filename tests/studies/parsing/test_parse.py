"""Parsing of a treebank: order, batches, and everything but the trees kept."""

import pytest

from nmt_ib.data.conllu import read_conllu, write_conllu
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
