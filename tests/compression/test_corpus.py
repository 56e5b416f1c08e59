"""A treebank as numbers, against a loop over its trees."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from nmt_ib.compression.corpus import Labels, unpad
from nmt_ib.data.conllu import read_conllu
from tests.tiny_treebank import SENTENCES, tiny_corpus, write_treebank


@pytest.fixture
def corpus(tmp_path):
    return tiny_corpus(tmp_path, layers=2, types=3)


def test_labels_are_those_of_the_treebank_the_most_frequent_first(corpus):
    relations = Counter(relation.split(":")[0] for tree in corpus.trees for relation in tree.relations)
    assert set(corpus.labels.relations) == set(relations)
    assert "nsubj" in relations
    for names, counts in (
        (corpus.labels.relations, relations),
        (corpus.labels.upos, Counter(tag for tree in corpus.trees for tag in tree.upos)),
    ):
        assert [counts[name] for name in names] == sorted(counts.values(), reverse=True)


@pytest.mark.parametrize("sentences", [[6, 0, 2, 4], [2], [4]], ids=str)
def test_a_batch_is_a_loop_over_trees(corpus, sentences):
    batch = corpus.batch(sentences)
    place = 0
    for row, number in enumerate(sentences):
        tree, first = corpus.trees[number], sum(len(tree) for tree in corpus.trees[:number])
        assert batch.lengths[row] == len(tree)
        for word in range(len(tree)):
            at = first + word
            assert batch.vectors[place].tolist() == [layer[at].tolist() for layer in corpus.layers]
            assert batch.types[place].tolist() == corpus.types[corpus.type_rows[at]].tolist()
            assert corpus.labels.upos[batch.upos[place]] == tree.upos[word]
            assert corpus.labels.relations[batch.relations[place]] == tree.relations[word].split(":")[0]
            assert batch.heads[place] == tree.heads[word]
            place += 1
    assert place == len(batch.vectors) == len(batch.forms)
    expected = [[word < len(corpus.trees[number]) for word in range(batch.mask.shape[1])] for number in sentences]
    assert batch.mask.tolist() == expected


def test_equal_forms_have_equal_numbers(corpus):
    forms = [form for tree in corpus.trees for form in tree.forms]
    numbers = corpus.batch(range(len(corpus.trees))).forms.tolist()
    assert len(set(zip(forms, numbers, strict=True))) == len(set(forms)) == len(set(numbers))
    assert min(numbers) >= 0


def test_what_training_has_not_has_no_number(tmp_path):
    corpus = tiny_corpus(tmp_path, labels=Labels(("root",), ("NOUN",)))
    batch = corpus.batch([12])
    assert batch.upos.tolist() == [-1, 0]
    assert batch.relations.tolist() == [-1, 0]


def test_sentences_that_nobody_has_parsed(tmp_path, corpus):
    trees = list(read_conllu(write_treebank(tmp_path / "bare.conllu"), heads=False))
    batch = replace(corpus, trees=trees).batch([0, 4])
    assert set(batch.relations.tolist()) == {-1}
    assert batch.lengths.tolist() == [4, 1]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_batches_have_every_sentence_with_words_once(corpus, size):
    with_words = [number for number, sentence in enumerate(SENTENCES) if sentence]
    shuffled = list(corpus.shuffled_batches(size, torch.Generator().manual_seed(0)))
    for batches in (shuffled, list(corpus.batches_by_length(size))):
        assert sorted(number for batch in batches for number in batch) == with_words
        assert all(1 <= len(batch) <= size for batch in batches)
    lengths = [len(corpus.trees[number]) for batch in corpus.batches_by_length(size) for number in batch]
    assert lengths == sorted(lengths, reverse=True)


def test_a_seed_decides_the_order(corpus):
    first, again, other = (list(corpus.shuffled_batches(2, torch.Generator().manual_seed(seed))) for seed in (0, 0, 1))
    assert first == again != other


def test_sentences_of_similar_length_share_a_batch(corpus):
    ends = sorted(
        (min(lengths), max(lengths))
        for batch in corpus.shuffled_batches(3, torch.Generator().manual_seed(0))
        if (lengths := [len(corpus.trees[number]) for number in batch])
    )
    assert all(longest <= shortest for (_, longest), (shortest, _) in zip(ends, ends[1:], strict=False))


def test_rows_without_their_padding():
    grid = torch.arange(6).reshape(2, 3)
    assert [row.tolist() for row in unpad(grid, torch.tensor([3, 1]))] == [[0, 1, 2], [3]]
