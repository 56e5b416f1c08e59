"""The compressed parser: its nll against a loop over words, and trees that depend on no batch."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import TagSettings, WordShape, compressor
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.parsing.biaffine import BiaffineParser, ParserSettings
from tests.oracles import biaffine as slow
from tests.tiny_treebank import tiny_corpus


def made(corpus, kind="continuous", **settings):
    layers, width = len(corpus.layers), corpus.layers[0].shape[1]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tags = compressor(TagSettings(kind, dim=5, num_tags=4), WordShape(width, 0, len(corpus.labels.upos)))
        parser = BiaffineParser(
            tags.width, len(corpus.labels.relations), ParserSettings(**{"hidden": 3, "arc": 4, "label": 3} | settings)
        )
        model = CompressedParser(tags, parser, layers).double()
        for weight in model.parameters():
            torch.nn.init.normal_(weight, std=0.5)
    return model


@torch.no_grad()
def loop(model, corpus, sentences, tags):
    """Nll of the gold trees, word by word and sample by sample."""
    total, words = 0.0, 0
    for values in tags.values:
        place = 0
        for number in sentences:
            tree = corpus.trees[number]
            sentence = values[place : place + len(tree)]
            arcs = slow.arc_scores(model.parser, sentence).log_softmax(-1)
            relations = slow.relation_scores(model.parser, sentence, tree.heads).log_softmax(-1)
            for word, head in enumerate(tree.heads):
                total -= float(arcs[word, head + 1])
                name = tree.relations[word].split(":")[0]
                if name in corpus.labels.relations:
                    total -= float(relations[word, corpus.labels.relations.index(name)])
                words += 1
            place += len(tree)
    return total / words


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("labels", [None, Labels(("root", "nsubj"), ("NOUN",))], ids=["all", "two"])
def test_nll_is_a_mean_over_words_and_samples(tmp_path, samples, labels):
    """Relations that training has not count as a nll of 0."""
    corpus = tiny_corpus(tmp_path, labels=labels)
    model, sentences = made(corpus), [6, 4, 1]
    batch = corpus.batch(sentences)
    tags = model.tags(batch, samples, torch.Generator().manual_seed(0))
    assert len(tags.values) == samples
    found = model.nll(batch, tags)
    assert found.item() == pytest.approx(loop(model, corpus, sentences, tags))
    each = [model.nll(batch, replace(tags, values=values[None])) for values in tags.values]
    assert_close(torch.stack(each).mean(), found)


def test_a_batch_whose_relations_nobody_knows(tmp_path):
    corpus = tiny_corpus(tmp_path, labels=Labels(("vocative",), ("NOUN",)))
    model, batch = made(corpus), corpus.batch([0, 4])
    nll = model.nll(batch, model.tags(batch))
    assert nll.isfinite()
    nll.backward()
    assert model.parser.arc.grad.isfinite().all()


def test_dropout_comes_from_the_generator(tmp_path):
    corpus = tiny_corpus(tmp_path)
    model, batch = made(corpus, dropout=0.5), corpus.batch([0, 1])
    tags = model.tags(batch)
    first, again, other, none = (
        model.nll(batch, tags, seed if seed is None else torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1, None)
    )
    assert first == again
    assert len({each.item() for each in (first, other, none)}) == 3


def test_layers_are_mixed_by_learned_shares(tmp_path):
    corpus = tiny_corpus(tmp_path, layers=3)
    model, batch = made(corpus), corpus.batch([0, 1])
    shares = model.mix.exp() / model.mix.exp().sum()
    assert_close(model.mixed(batch), sum(share * batch.vectors[:, row] for row, share in enumerate(shares)))
    model.nll(batch, model.tags(batch)).backward()
    assert model.mix.grad.any()
    single = CompressedParser(model.compressor, model.parser, 1)
    assert not single.mix.requires_grad
    fresh = CompressedParser(model.compressor, model.parser, 3).double()
    assert_close(fresh.mixed(batch), batch.vectors.mean(1))


@pytest.mark.parametrize("kind", ["continuous", "discrete", "pos"])
def test_every_parse_is_a_tree_with_one_root(tmp_path, kind):
    corpus = tiny_corpus(tmp_path)
    model = made(corpus, kind)
    sentences = corpus.batches_by_length(99)[0]
    parsed = model.parse(corpus.batch(sentences))
    assert parsed.rate_nats.shape == (sum(len(tree) for tree in corpus.trees),)
    for number, heads, relations in zip(sentences, parsed.heads, parsed.relations, strict=True):
        assert len(heads) == len(relations) == len(corpus.trees[number])
        assert heads.tolist().count(-1) == 1
        for word in range(len(heads)):
            above = word
            for _ in heads:
                above = -1 if above == -1 else int(heads[above])
            assert above == -1


def test_a_parse_is_the_best_of_its_scores(tmp_path):
    """A sentence of three words: all trees, and the likeliest relation of each edge."""
    from itertools import product

    corpus = tiny_corpus(tmp_path)
    model, batch = made(corpus).requires_grad_(False), corpus.batch([11])
    parsed, tags = model.parse(batch), model.tags(batch).values[0]
    scores = slow.arc_scores(model.parser, tags).log_softmax(-1)
    trees = [heads for heads in product((-1, 0, 1, 2), repeat=3) if is_tree(heads)]
    assert len(trees) == 9
    best = max(trees, key=lambda heads: sum(float(scores[word, head + 1]) for word, head in enumerate(heads)))
    assert parsed.heads[0].tolist() == list(best)
    assert parsed.relations[0].tolist() == slow.relation_scores(model.parser, tags, best).argmax(-1).tolist()


def is_tree(heads):
    def climbs(word):
        seen = set()
        while word not in seen and word != -1:
            seen.add(word)
            word = heads[word]
        return word == -1

    return heads.count(-1) == 1 and all(climbs(word) for word in range(len(heads)))


def test_neither_order_nor_batch_size_changes_a_parse(tmp_path):
    corpus = tiny_corpus(tmp_path, layers=2)
    model = made(corpus)

    def parsed(batches):
        found = {}
        for sentences in batches:
            trees = model.parse(corpus.batch(sentences))
            for number, heads, relations in zip(sentences, trees.heads, trees.relations, strict=True):
                found[number] = heads.tolist(), relations.tolist()
        return found

    whole = parsed(corpus.batches_by_length(99))
    assert len(whole) == sum(bool(tree) for tree in corpus.trees)
    assert (
        parsed(corpus.batches_by_length(1)) == parsed([batch[::-1] for batch in corpus.batches_by_length(5)]) == whole
    )


def test_the_nll_of_an_untrained_parser_is_that_of_a_guess(tmp_path):
    """All scores 0: each head is one of a sentence's length, each relation one of K."""
    corpus = tiny_corpus(tmp_path)
    model, sentences = made(corpus), [0, 1, 4]
    for weight in model.parser.parameters():
        weight.data.zero_()
    batch = corpus.batch(sentences)
    lengths = [len(corpus.trees[number]) for number in sentences]
    expected = sum(n * math.log(n) for n in lengths) / sum(lengths) + math.log(len(corpus.labels.relations))
    assert model.nll(batch, model.tags(batch)).item() == pytest.approx(expected)


def test_the_root_alone_has_the_relation_of_a_root(tmp_path):
    corpus = tiny_corpus(tmp_path)
    batch, label = corpus.batch([0, 1, 4]), corpus.labels.root
    assert corpus.labels.relations[label] == "root"
    assert Labels(("det",), ()).root is None
    kept = 0
    for seed in range(10):
        torch.manual_seed(seed)
        free = made(corpus)
        valid = CompressedParser(free.compressor, free.parser, root=label).double()
        for heads, relations, before in zip(
            (found := valid.parse(batch)).heads, found.relations, free.parse(batch).relations, strict=True
        ):
            assert ((heads == -1) == (relations == label)).all()
            already = (before == label) == (heads == -1)
            assert (relations == before)[already].all()
            kept += int(already.sum())
    assert kept
