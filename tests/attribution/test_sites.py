"""Sites: which models have them, and what their states look like; test_sigma.py compares the states themselves."""

import pytest
import torch

from nmt_ib.attribution.scoring import target_scorer
from nmt_ib.attribution.sites import Site
from nmt_ib.errors import RequestError
from tests.attribution.examples import example_inputs


def test_keys_and_targets():
    assert [Site(part, 2).key for part in ("encoder", "decoder", "pooled", "logits")] == [
        "encoder.2", "decoder.2", "pooled", "logits",
    ]  # fmt: skip
    assert [Site(part).needs_target for part in ("encoder", "decoder", "pooled", "logits")] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("name", "site", "message"),
    [
        ("ssru", Site("encoder", 4), "encoder layers 1 to 3, not 4"),
        ("ssru", Site("decoder", 0), "decoder layers 1 to 2, not 0"),
        ("ssru", Site("pooled"), "not a classifier: it has no pooled"),
        ("bert-classifier", Site("decoder"), "has no decoder"),
    ],
)
def test_sites_that_a_model_does_not_have(tiny_model, tiny_encoder, name, site, message):
    with pytest.raises(RequestError, match=message):
        site.check(example_inputs(tiny_model, tiny_encoder, name)[0])


def test_an_unknown_part_is_named():
    with pytest.raises(RequestError, match="unknown part of a model 'head'; known: encoder, decoder, pooled, logits"):
        Site("head")


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("ssru", Site("encoder", 2)), ("ssru", Site("decoder", 1)), ("ssru", Site("logits")),
        ("bert-classifier", Site("encoder", 3)), ("bert-classifier", Site("pooled")),
        ("bert-classifier", Site("logits")),
    ],
)  # fmt: skip
def test_states_have_one_vector_per_position(tiny_model, tiny_encoder, name, site):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
    site.check(model)
    scorer = target_scorer(model, sources, targets)
    positions = site.positions(scorer)
    state = site.state(model, scorer, model.embed(scorer.batch.ids))
    assert state.shape[:2] == positions.shape
    lengths = [len(item) for item in (targets if site.needs_target and name == "ssru" else sources)]
    if site.part != "encoder" and name != "ssru":
        lengths = [1] * len(sources)
    assert positions.sum(1).tolist() == lengths
