"""What every EncoderModel and Classifier promises, on a tiny model of each kind, against Hugging Face's own calls."""

import copy
from dataclasses import replace
from itertools import combinations_with_replacement

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.errors import RequestError
from nmt_ib.models.classifier import HuggingFaceClassifier, wrap_encoder
from nmt_ib.models.encoder import HuggingFaceEncoder
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.types import TokenBatch
from tests.oracles.words import check_words
from tests.tiny_encoders import ENCODERS, LABELS
from tests.tiny_models import ENGLISH

TEXTS = ("She sells sea shells by the sea shore, 12 of them!", "no", "The house is old.")
HOSTILE = ("  A  dog ", "naïve 中文 😀😀 a\u0301", "don't stop-now...", "\u200bthe\u00a0house", "½ of ﬁne")
SPECIAL = ("</s>", "<s>", "<unk>", "<pad>", "<mask>", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")
CLASSIFIERS = [name for name in ENCODERS if name.endswith("classifier")]
LAYERS = (1, 2, 3)
PATHS = list(combinations_with_replacement((0, *LAYERS), 2))
EITHER = pytest.mark.parametrize("model", ENCODERS, indirect=True)
CLASSIFYING = pytest.mark.parametrize("model", CLASSIFIERS, indirect=True)


@pytest.fixture
def model(request, tiny_encoder):
    return tiny_encoder(request.param)


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


def batch_of(model, texts=TEXTS):
    return model.pad([model.tokenize_source(text) for text in texts])


def all_states(model, batch):
    embeddings = model.embed(batch.ids)
    return (embeddings, *model.encoder_states(embeddings, batch.mask))


def hf_output(model, text, *, bare=True):
    """Hugging Face's own forward pass over one unpadded sentence, in a copy: transformers leaves hooks behind."""
    network = copy.deepcopy(model.model)
    network = network.base_model if bare else network
    ids = torch.tensor([model.tokenize_source(text).ids])
    return network(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)


def snapshot(model):
    """All that a method could leave behind in the network and the tokenizer."""
    network = model.model
    return {
        "hooks": {
            name: (len(part._forward_hooks), len(part._forward_pre_hooks), len(part._backward_hooks))
            for name, part in network.named_modules()
        },
        "mode": {name: part.training for name, part in network.named_modules()},
        "weights": {name: (id(weight), weight.sum().item()) for name, weight in network.named_parameters()},
        "gradients": {name: (weight.requires_grad, weight.grad) for name, weight in network.named_parameters()},
        "attention": [part.config._attn_implementation for part in network.modules() if hasattr(part, "config")],
        "tokenizer": model.tokenizer(TEXTS[0]).input_ids,
    }


@EITHER
def test_is_an_encoder_model_and_no_translation_model(model):
    assert isinstance(model, EncoderModel)
    assert not isinstance(model, TranslationModel)
    assert model.encoder_layers == 3


@CLASSIFYING
def test_a_classifier_names_its_classes(model):
    assert isinstance(model, Classifier)
    assert model.labels == LABELS


@pytest.mark.parametrize("model", [name for name in ENCODERS if name not in CLASSIFIERS], indirect=True)
def test_a_bare_encoder_has_no_classes(model):
    assert not isinstance(model, Classifier)
    assert not {"labels", "classify", "pooled"} & set(dir(model))
    with pytest.raises(RequestError, match="bare is not a sequence classifier"):
        HuggingFaceClassifier(model.model, model.tokenizer, name="bare")


@EITHER
def test_sentences_are_read_as_the_tokenizer_reads_them(model):
    for text in (*TEXTS, *ENGLISH):
        assert list(model.tokenize_source(text).ids) == model.tokenizer(text).input_ids


@EITHER
def test_special_pieces_stand_around_a_sentence_and_belong_to_no_word(model):
    first, last = model.tokenizer.cls_token, model.tokenizer.sep_token
    for text in (*TEXTS, *HOSTILE):
        sentence = model.tokenize_source(text)
        assert (sentence.pieces[0], sentence.pieces[-1]) == (first, last)
        assert (sentence.word_index[0], sentence.word_index[-1]) == (-1, -1)
        assert -1 not in sentence.word_index[1:-1]


@EITHER
def test_each_piece_belongs_to_one_word_and_words_cover_the_text(model):
    for text in (*TEXTS, *HOSTILE, *(f"the {piece} house" for piece in SPECIAL)):
        sentence = model.tokenize_source(text)
        check_words(sentence)
        covered = {place for word in sentence.words for place in range(word.start, word.end)}
        # A lower-case tokenizer takes characters of no width out of the text: no piece stands for them.
        assert {place for place, character in enumerate(text) if character.isalnum()} <= covered


@EITHER
def test_an_empty_sentence_has_no_words(model):
    for text in ("", " ", "\t\n"):
        sentence = model.tokenize_source(text)
        assert sentence.words == ()
        assert set(sentence.word_index) == {-1}


@EITHER
def test_what_looks_special_in_a_text_is_text(model):
    special = set(model.tokenizer.all_special_ids) - {model.unknown_id}
    for piece in SPECIAL:
        sentence = model.tokenize_source(f"the {piece} house")
        assert not special & set(sentence.ids[1:-1])
        assert {place for span in sentence.spans for place in range(*span)} >= set(range(4, 4 + len(piece)))


@EITHER
def test_embeddings_are_what_hugging_face_feeds_to_the_first_layer(model):
    batch = batch_of(model)
    ours = model.embed(batch.ids)
    for row, text in enumerate(TEXTS):
        theirs = hf_output(model, text).hidden_states[0][0]
        assert_close(ours[row, : len(theirs)], theirs)


@EITHER
def test_encoder_states_are_the_layers_outputs(model):
    batch = batch_of(model)
    ours = all_states(model, batch)
    assert len(ours) == 1 + model.encoder_layers
    for row, text in enumerate(TEXTS):
        for mine, theirs in zip(ours, hf_output(model, text).hidden_states, strict=True):
            assert_close(mine[row, : theirs.shape[1]], theirs[0])


@EITHER
def test_encode_of_embeddings_is_the_encoder(model):
    batch = batch_of(model)
    ours = model.encode(model.embed(batch.ids), batch.mask)
    for row, text in enumerate(TEXTS):
        theirs = hf_output(model, text).last_hidden_state[0]
        assert_close(ours[row, : len(theirs)], theirs)


@EITHER
@pytest.mark.parametrize("layer", LAYERS)
def test_going_on_from_a_layer_is_the_full_run(model, layer):
    batch = batch_of(model)
    states = all_states(model, batch)
    whole = model.encode(states[0], batch.mask)
    assert_close(model.encode(states[layer], batch.mask, from_layer=layer)[batch.mask], whole[batch.mask])


@EITHER
@pytest.mark.parametrize(("from_layer", "to_layer"), PATHS)
def test_leaving_at_a_layer_gives_its_output(model, from_layer, to_layer):
    batch = batch_of(model)
    states = all_states(model, batch)
    ours = model.encode(states[from_layer], batch.mask, from_layer, to_layer)
    assert_close(ours[batch.mask], states[to_layer][batch.mask])


@EITHER
@pytest.mark.parametrize(("from_layer", "to_layer"), [(0, 4), (4, None), (2, 1), (-1, None)])
def test_layers_that_are_not_there_are_refused(model, from_layer, to_layer):
    batch = batch_of(model)
    with pytest.raises(RequestError, match="of 3 layers"):
        model.encode(model.embed(batch.ids), batch.mask, from_layer, to_layer)


@EITHER
@pytest.mark.parametrize("layer", [0, *LAYERS])
def test_an_edit_at_a_layer_changes_its_sentence_and_no_other(model, layer):
    batch = batch_of(model)
    states = all_states(model, batch)[layer]
    edited = states.clone()
    edited[0, 1, 0] += 3.0
    before, after = (model.encode(given, batch.mask, from_layer=layer) for given in (states, edited))
    assert (after - before)[0].abs().max() > 1e-3
    assert_close(after[1:], before[1:])


@CLASSIFYING
@pytest.mark.parametrize("layer", [0, *LAYERS])
def test_scores_of_classes_are_hugging_faces_from_any_layer(model, layer):
    batch = batch_of(model)
    ours = model.classify(all_states(model, batch)[layer], batch.mask, from_layer=layer)
    for row, text in enumerate(TEXTS):
        assert_close(ours[row], hf_output(model, text, bare=False).logits[0])


@CLASSIFYING
@pytest.mark.parametrize("layer", [0, *LAYERS])
def test_the_pooled_state_is_what_the_output_layer_reads(model, layer):
    batch = batch_of(model)
    states = all_states(model, batch)[layer]
    pooled = model.pooled(states, batch.mask, from_layer=layer)
    output = model.model.get_submodule(model.layout.output)
    assert_close(output(pooled), model.classify(states, batch.mask, from_layer=layer))


def test_the_pooled_state_of_bert_is_its_poolers(tiny_encoder):
    model = tiny_encoder("bert-classifier")
    batch = batch_of(model)
    pooled = model.pooled(model.embed(batch.ids), batch.mask)
    for row, text in enumerate(TEXTS):
        assert_close(pooled[row], hf_output(model, text).pooler_output[0])


@EITHER
def test_padding_and_order_change_nothing(model):
    batch = batch_of(model)
    fill = torch.nn.functional.pad
    wider = TokenBatch(
        fill(batch.ids, (0, 5), value=model.pad_id),
        fill(batch.mask, (0, 5)),
        fill(batch.word_index, (0, 5), value=-1),
    )
    flipped = batch.rows(torch.tensor([2, 1, 0]))
    for layer, states in enumerate(all_states(model, batch)):
        assert_close(all_states(model, wider)[layer][:, :-5][batch.mask], states[batch.mask])
        assert_close(all_states(model, flipped)[layer].flip(0)[batch.mask], states[batch.mask])
    if isinstance(model, Classifier):
        scores = model.classify(model.embed(batch.ids), batch.mask)
        assert_close(model.classify(model.embed(wider.ids), wider.mask), scores)
        assert_close(model.classify(model.embed(flipped.ids), flipped.mask).flip(0), scores)


@EITHER
def test_the_longest_sentence_fits(model):
    sentence = model.tokenize_source(TEXTS[0])
    ids = sentence.ids[:2] + (sentence.ids[2],) * (model.max_source_pieces - len(sentence)) + sentence.ids[2:]
    batch = model.pad([replace(sentence, ids=ids, word_index=(-1,) * len(ids))])
    states = model.encode(model.embed(batch.ids), batch.mask)
    assert states.shape[1] == model.max_source_pieces
    assert states.isfinite().all()


def test_positions_that_stand_behind_the_padding_id_are_not_counted(tiny_encoder):
    # RoBERTa's positions begin at 2: published models have 514 for sentences of 512 pieces.
    assert tiny_encoder("roberta-classifier").max_source_pieces == 62
    assert tiny_encoder("bert").max_source_pieces == 64


def use_everything(model):
    batch = batch_of(model)
    states = all_states(model, batch)
    model.encode(states[1], batch.mask, from_layer=1, to_layer=2)
    if isinstance(model, Classifier):
        model.classify(states[2], batch.mask, from_layer=2)
        model.pooled(states[0], batch.mask)
    return batch, states


@EITHER
def test_the_model_is_left_as_it_was(model):
    before = snapshot(model)
    use_everything(model)
    assert snapshot(model) == before
    assert set(before["hooks"].values()) == {(0, 0, 0)}


@EITHER
def test_the_model_is_left_as_it_was_also_after_an_error(model):
    before = snapshot(model)
    batch, states = use_everything(model)
    for run in (model.encode, model.classify, model.pooled) if isinstance(model, Classifier) else (model.encode,):
        for layer in (0, 1):
            with pytest.raises(RuntimeError):
                run(states[layer][..., 1:], batch.mask, from_layer=layer)
    with pytest.raises(RuntimeError):
        model.encoder_states(states[0][..., 1:], batch.mask)
    assert snapshot(model) == before
    assert len(model.encoder_states(states[0], batch.mask)) == model.encoder_layers


@EITHER
def test_gradients_reach_the_states_from_any_layer(model):
    batch = batch_of(model)
    for layer, states in enumerate(all_states(model, batch)):
        with torch.enable_grad():
            given = states.detach().requires_grad_()
            run = model.classify if isinstance(model, Classifier) else model.encode
            run(given, batch.mask, layer).square().sum().backward()
        assert (given.grad[batch.mask].abs().sum(1) > 0).any()
        model.model.zero_grad(set_to_none=True)


@EITHER
def test_the_fingerprint_follows_the_weights(model):
    def other():
        return HuggingFaceEncoder(copy.deepcopy(model.model), model.tokenizer, name="other")

    changed = other()
    next(changed.model.parameters()).data[0, 0] += 1e-9
    assert other().fingerprint == model.fingerprint
    assert changed.fingerprint != model.fingerprint


def test_a_regression_head_names_no_classes(tiny_encoder):
    model = tiny_encoder("bert-classifier")
    config = copy.deepcopy(model.model.config)
    config.id2label = {0: "LABEL_0"}
    assert not isinstance(wrap_encoder(type(model.model)(config), model.tokenizer, name="regression"), Classifier)


def test_classes_are_named_in_the_order_of_their_scores(tiny_encoder):
    model = tiny_encoder("bert-classifier")
    network = copy.deepcopy(model.model)
    network.config.id2label = {2: "positive", 0: "negative", 1: "neutral"}
    assert wrap_encoder(network, model.tokenizer, name="shuffled").labels == LABELS
