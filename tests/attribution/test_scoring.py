"""Scores of targets against Hugging Face's own forward passes over single sentences."""

import copy
import math

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.scoring import target_scorer
from nmt_ib.errors import RequestError
from tests.attribution.examples import LABELS, SOURCES, TARGETS, example_inputs
from tests.oracles.contribution import Slow
from tests.tiny_encoders import ENCODERS
from tests.tiny_models import MODELS

CLASSIFIERS = [name for name in ENCODERS if name.endswith("classifier")]
SCALES = {"marian": 4.0, "ssru": 4.0}  # sqrt(width) where the embedding module does not scale


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.mark.parametrize("name", MODELS)
def test_log_probabilities_of_translations_equal_hugging_face(tiny_model, tiny_encoder, name):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
    scorer = target_scorer(model, sources, targets)
    found = scorer.logprobs(*scorer.inputs())
    assert found.shape == scorer.target_mask.shape
    assert not found[~scorer.target_mask].any()
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        slow = Slow(tiny_model(name), source, target)
        assert_close(found[row, : len(target)], slow.of_target(slow.whole()) * math.log(2))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_log_probabilities_of_labels_equal_hugging_face(tiny_model, tiny_encoder, name):
    model, sources, labels = example_inputs(tiny_model, tiny_encoder, name)
    scorer = target_scorer(model, sources, labels)
    found = scorer.logprobs(*scorer.inputs())
    network = copy.deepcopy(model.model)
    for row, (source, label) in enumerate(zip(sources, labels, strict=True)):
        logits = network(input_ids=torch.tensor([source.ids])).logits[0]
        assert_close(found[row], logits.log_softmax(0)[label, None])


@pytest.mark.parametrize("name", ["marian", "t5", "bert-classifier"])
@pytest.mark.parametrize("layer", [0, 1, 3])
def test_scores_from_any_layer_are_equal(tiny_model, tiny_encoder, name, layer):
    scorer = target_scorer(*example_inputs(tiny_model, tiny_encoder, name))
    embeddings, *prefix = scorer.inputs()
    states = scorer.model.encode(embeddings, scorer.batch.mask, to_layer=layer)
    assert_close(scorer.logprobs(states, *prefix, from_layer=layer), scorer.logprobs(embeddings))


@pytest.mark.parametrize("name", ["marian", "ssru", "roberta-classifier"])
def test_unknown_pieces_have_the_embedding_of_the_unknown_id(tiny_model, tiny_encoder, name):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
    scorer = target_scorer(model, sources, targets)
    pieces = scorer.batch.word_index == 0
    found = scorer.logprobs(*scorer.inputs(pieces))
    for row, source in enumerate(sources):
        places = [place for place, word in enumerate(source.word_index) if word == 0]
        if name in SCALES:
            slow = Slow(tiny_model(name), source, targets[row], SCALES[name])
            expected = slow.of_target(slow.unknown(places)) * math.log(2)
        else:
            ids = torch.tensor([source.ids])
            ids[0, places] = model.tokenizer.unk_token_id
            logits = copy.deepcopy(model.model)(input_ids=ids).logits[0]
            expected = logits.log_softmax(0)[targets[row], None]
        assert_close(found[row, : len(expected)], expected)


@pytest.mark.parametrize("name", ["marian", "t5", "bart"])
def test_an_unknown_target_token_is_read_as_unknown_and_scored_as_itself(tiny_model, tiny_encoder, name):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
    tiny, source, target = tiny_model(name), sources[0], targets[0]
    scorer = target_scorer(model, [source], [target])
    tokens = torch.arange(len(target))[None] == 1
    found = scorer.logprobs(*scorer.inputs(unknown_tokens=tokens))[0]
    inputs = [*model.tokenizer.convert_tokens_to_ids(list(tiny.start)), *target.ids[:-1]]
    inputs[len(tiny.start) + 1] = model.tokenizer.unk_token_id
    output = copy.deepcopy(model.model)(
        input_ids=torch.tensor([source.ids]), decoder_input_ids=torch.tensor([inputs]), use_cache=False
    )
    logits = output.logits[0, len(tiny.start) - 1 :]
    assert_close(found, logits.log_softmax(1)[range(len(target)), target.ids])
    assert_close(found[:2], scorer.logprobs(*scorer.inputs())[0, :2])


@pytest.mark.parametrize("name", ["ssru", "bert-classifier"])
def test_rows_select_sentences(tiny_model, tiny_encoder, name):
    scorer = target_scorer(*example_inputs(tiny_model, tiny_encoder, name))
    index = torch.tensor([2, 0, 2])
    chosen = scorer.rows(index)
    assert_close(chosen.logprobs(*chosen.inputs()), scorer.logprobs(*scorer.inputs())[index])


@pytest.mark.parametrize("name", ["ssru", "bert-classifier"])
def test_each_target_is_scored_from_its_own_state(tiny_model, tiny_encoder, name):
    scorer = target_scorer(*example_inputs(tiny_model, tiny_encoder, name))
    states = scorer.output_states(*scorer.inputs())
    plain = scorer.score(states)
    states[:, 0, 0] += 1.0
    assert_close(scorer.score(states)[:, 1:], plain[:, 1:])
    assert (scorer.score(states)[:, 0] != plain[:, 0]).all()


def test_a_bare_encoder_is_an_error(tiny_encoder):
    model = tiny_encoder("bert")
    with pytest.raises(RequestError, match="tiny gives no probabilities"):
        target_scorer(model, [model.tokenize_source(SOURCES[0])], [LABELS[0]])


def test_the_sentences_differ_in_length():
    assert len({len(text) for text in SOURCES}) == len({len(text) for text in TARGETS}) == 3
