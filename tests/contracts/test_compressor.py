"""The contract of compressors, on a tiny one of each kind."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import KINDS, TagSettings, WordShape, compressor
from nmt_ib.compression.saved import ParserConfig, load_parser, save_parser
from nmt_ib.compression.tags import Compressor
from nmt_ib.parsing.biaffine import ParserSettings
from tests.tiny_treebank import tiny_corpus

WIDTH, TYPES, SAMPLES = 6, 4, 3
RANDOM = ("continuous", "discrete")  # the others are functions of the word
FINITE_RATE = (*RANDOM, "pos", "random")
FITTED = ("pca", "pos", "random")
EVERY = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def batch(tmp_path):
    corpus = tiny_corpus(tmp_path, width=WIDTH, types=TYPES)
    return corpus.batch(range(len(corpus.trees)))


def made(kind, batch, *, fit=True, **settings):
    shape = WordShape(WIDTH, TYPES, int(batch.upos.max()) + 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = compressor(TagSettings(kind, dim=5, num_tags=4, **settings), shape).double()
        for weight in found.parameters():  # so that no bias is 0
            if weight.requires_grad:
                torch.nn.init.normal_(weight, std=0.5)
    if fit:
        found.fit_(vectors(batch), batch)
    return found


def vectors(batch):
    return batch.vectors[:, 0]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rearranged(batch, order):
    """The same words in another order, as if they were one sentence."""
    fields = {name: getattr(batch, name)[order] for name in ("vectors", "types", "forms", "upos", "heads", "relations")}
    return replace(batch, lengths=torch.tensor([len(order)]), **fields)


@EVERY
def test_every_word_has_a_tag_and_its_rate(kind, batch):
    made_of, words = made(kind, batch), len(batch.forms)
    assert isinstance(made_of, Compressor)
    tags = made_of(vectors(batch), batch, SAMPLES, None)
    assert tags.values.shape == (1, words, made_of.width)
    sampled = made_of(vectors(batch), batch, SAMPLES, generator())
    assert sampled.values.shape == (SAMPLES if kind in RANDOM else 1, words, made_of.width)
    for each in (tags, sampled):
        assert each.values.dtype == each.rate_nats.dtype == each.context_nats.dtype == torch.float64
        assert each.values.isfinite().all()
        assert each.rate_nats.shape == each.context_nats.shape == (words,)


@EVERY
def test_a_rate_is_at_least_0_or_there_is_none(kind, batch):
    tags = made(kind, batch)(vectors(batch), batch, 1, generator())
    assert (tags.rate_nats >= 0).all() if kind in FINITE_RATE else tags.rate_nats.isnan().all()
    assert (tags.context_nats > 0).all() if kind in RANDOM else not tags.context_nats.any()


@EVERY
def test_without_a_generator_nothing_is_random(kind, batch):
    made_of, state = made(kind, batch, dropout=0.5), torch.get_rng_state()
    first, again = (made_of(vectors(batch), batch, 1, None).values for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(first, made(kind, batch)(vectors(batch), batch, 1, None).values)
    assert torch.equal(torch.get_rng_state(), state)


@EVERY
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_seed_decides(kind, batch, dropout):
    made_of, state = made(kind, batch, dropout=dropout), torch.get_rng_state()
    first, again, other = (made_of(vectors(batch), batch, 2, generator(seed)).values for seed in (0, 0, 1))
    assert torch.equal(first, again)
    is_random = kind in RANDOM or (kind == "mlp" and dropout > 0)
    assert torch.equal(first, other) != is_random
    assert torch.equal(torch.get_rng_state(), state)


@EVERY
def test_a_tag_does_not_know_the_other_words(kind, batch):
    made_of = made(kind, batch)
    tags = made_of(vectors(batch), batch, 1, None)
    order = torch.randperm(len(batch.forms), generator=generator())[:7]
    some = rearranged(batch, order)
    other = made_of(vectors(some), some, 1, None)
    assert_close(other.values, tags.values[:, order])
    assert_close(other.rate_nats, tags.rate_nats[order], equal_nan=True)
    assert_close(other.context_nats, tags.context_nats[order])


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        *((kind, {}) for kind in KINDS),
        *((kind, {"deep": True}) for kind in ("continuous", "discrete")),
        *(("continuous", {"standard_prior": True, "deep": deep}) for deep in (False, True)),
    ],
    ids=str,
)
def test_every_weight_is_trained(kind, batch, settings):
    made_of = made(kind, batch, **settings)
    tags = made_of(vectors(batch), batch, 2, generator())
    cost = tags.values.square().mean() + tags.rate_nats.nan_to_num().mean() + tags.context_nats.mean()
    weights = [weight for weight in made_of.parameters() if weight.requires_grad]
    assert bool(weights) == (kind not in ("identity", "pca"))
    if weights:
        cost.backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in weights)


@EVERY
def test_statistics_of_training_words_are_fitted_and_no_weights(kind, batch):
    made_of = made(kind, batch, fit=False)
    before = {name: value.clone() for name, value in made_of.state_dict().items()}
    made_of.fit_(vectors(batch), batch)
    weights = dict(made_of.named_parameters())
    changed = [name for name, value in made_of.state_dict().items() if not torch.equal(value, before[name])]
    assert bool(changed) == (kind in FITTED)
    assert not set(changed) & set(weights)


@EVERY
def test_progress_changes_no_tag_that_is_not_sampled(kind, batch):
    made_of = made(kind, batch)
    before = made_of(vectors(batch), batch, 1, None)
    for progress in (0.0, 0.3, 1.0):
        made_of.anneal_(progress)
        after = made_of(vectors(batch), batch, 1, None)
        assert torch.equal(after.values, before.values)
        assert_close(after.rate_nats, before.rate_nats, equal_nan=True)


@EVERY
def test_what_is_saved_is_what_is_loaded(kind, tmp_path):
    corpus = tiny_corpus(tmp_path, width=WIDTH, types=TYPES)
    batch = corpus.batch(corpus.batches_by_length(99)[0])
    config = ParserConfig(
        embedder="builtin:minilm",
        pooling="first",
        embedder_fingerprint="0" * 16,
        layers=(3,),
        words=WordShape(WIDTH, TYPES, len(corpus.labels.upos)),
        labels=Labels(("root", "nsubj", "não"), corpus.labels.upos),
        tags=TagSettings(kind, dim=5, num_tags=4),
        parser=ParserSettings(hidden=2, arc=2, label=2),
    )
    model = config.build()
    model.compressor.fit_(vectors(batch).float(), batch)
    save_parser(tmp_path, config, model)
    state = torch.get_rng_state()
    parser = load_parser(tmp_path)
    loaded_config, loaded = parser.config, parser.model
    assert torch.equal(torch.get_rng_state(), state)
    assert loaded_config == config
    assert not any(weight.requires_grad for weight in loaded.parameters())
    single = replace(batch, vectors=batch.vectors.float(), types=batch.types.float())
    for one, other in zip(model.parse(single).heads, loaded.parse(single).heads, strict=True):
        assert torch.equal(one, other)
    assert torch.equal(model.tags(single).values, loaded.tags(single).values)
