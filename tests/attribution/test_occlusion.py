"""Occlusion against its definition, one word of one sentence at a time, by Hugging Face's own forward pass."""

import copy
import math

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.attribution.occlusion import Occlusion
from tests.attribution.examples import example_inputs, figures
from tests.oracles.contribution import Slow
from tests.tiny_encoders import ENCODERS

SCALES = {"marian": 4.0, "ssru": 4.0, "bart": 1.0, "m2m100": 1.0, "t5": 1.0}
CLASSIFIERS = [name for name in ENCODERS if name.endswith("classifier")]


def without_token(tiny, source, target, token):
    """Log2-probability of each target token after a prefix in which one token is unknown."""
    model = tiny.model
    inputs = [*model.tokenizer.convert_tokens_to_ids(list(tiny.start)), *target.ids[:-1]]
    inputs[len(tiny.start) + token] = model.tokenizer.unk_token_id
    output = copy.deepcopy(model.model)(
        input_ids=torch.tensor([source.ids]), decoder_input_ids=torch.tensor([inputs]), use_cache=False
    )
    logits = output.logits[0, len(tiny.start) - 1 :]
    return logits.log_softmax(1)[range(len(target)), target.ids] / math.log(2)


@pytest.mark.parametrize("name", SCALES)
@torch.no_grad()
def test_translations_one_by_one(tiny_model, tiny_encoder, name):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
    for source, target, found in zip(sources, targets, Occlusion()(model, sources, targets, batch_size=5), strict=True):
        slow = Slow(tiny_model(name), source, target, SCALES[name])
        expected = slow.matrix("unknown")
        assert_close(figures(found.matrix), expected, rtol=0, atol=1e-9)
        assert_close(figures(found.word_scores), expected.sum(1), rtol=0, atol=1e-9)
        whole = slow.of_target(slow.whole())
        for token in range(len(target) - 1):
            lost = whole - without_token(tiny_model(name), source, target, token)
            assert_close(figures(found.prefix_matrix[token]), lost, rtol=0, atol=1e-9)
        assert not any(found.prefix_matrix[-1])
        assert found.passes == 1 + len(source.words) + len(target) - 1


@pytest.mark.parametrize("name", CLASSIFIERS)
@torch.no_grad()
def test_labels_one_by_one(tiny_model, tiny_encoder, name):
    model, sources, labels = example_inputs(tiny_model, tiny_encoder, name)
    network = copy.deepcopy(model.model)

    def bits(ids, label):
        return float(network(input_ids=torch.tensor([ids])).logits[0].log_softmax(0)[label] / math.log(2))

    for source, label, found in zip(sources, labels, Occlusion()(model, sources, labels, batch_size=4), strict=True):
        whole = bits(source.ids, label)
        for word in range(len(source.words)):
            ids = [
                model.tokenizer.unk_token_id if index == word else piece
                for piece, index in zip(source.ids, source.word_index, strict=True)
            ]
            assert found.word_scores[word] == pytest.approx(whole - bits(ids, label), abs=1e-9)
        assert found.matrix is found.prefix_matrix is None
        assert found.passes == 1 + len(source.words)


def test_it_is_the_contribution_of_words_over_the_whole_vocabulary(tiny_model, tiny_encoder):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, "ssru")
    contributions = ContributionMethod("unknown", shortlist=0)(model, sources, targets)
    for found, other in zip(Occlusion()(model, sources, targets), contributions, strict=True):
        assert_close(figures(found.matrix), other.matrix_bits, rtol=0, atol=1e-9)


def test_pieces_of_a_word_get_equal_signed_shares(tiny_model, tiny_encoder):
    for name in ("marian", "bert-classifier"):
        found = Occlusion()(*example_inputs(tiny_model, tiny_encoder, name))
        for each in found:
            for word in range(len(each.words)):
                shares = {score for score, index in zip(each.scores, each.word_index, strict=True) if index == word}
                assert len(shares) == 1
        assert min(min(each.scores) for each in found) < 0 < max(max(each.scores) for each in found)
