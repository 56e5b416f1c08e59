"""Any torch module as a classifier: entered and left at every layer, as running its parts by hand does."""

import copy

import pytest
import torch
import transformers as hf
from torch import nn
from torch.testing import assert_close

from nmt_ib.attribution.gradient import Gradient
from nmt_ib.errors import RequestError
from nmt_ib.models.modules import ModuleClassifier
from nmt_ib.models.vocabulary import word_tokenizer
from nmt_ib.protocols import Classifier, TranslationModel

LABELS = ("negative", "neutral", "positive")
TEXTS = ("the house is green", "a small dog sleeps near the old green door", "unheard-of dog")
WORDS = ("the", "a", "house", "dog", "is", "sleeps", "near", "old", "small", "green", "door")
WIDTHS = {"bilstm": (4, 6, 10), "cnn": (4, 6, 3)}


class BiLSTM(nn.Module):
    """Gives a tuple, as nn.LSTM does."""

    def __init__(self, width, hidden):
        super().__init__()
        self.lstm = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)

    def forward(self, states, mask):
        packed = nn.utils.rnn.pack_padded_sequence(states, mask.sum(1), batch_first=True, enforce_sorted=False)
        output, last = self.lstm(packed)
        return nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=mask.shape[1])[0], last


class CNN(nn.Module):
    """Gives a tensor."""

    def __init__(self, width, channels):
        super().__init__()
        self.window = nn.Conv1d(width, channels, 3, padding=1)

    def forward(self, states, mask):
        return self.window((states * mask[..., None]).transpose(1, 2)).tanh().transpose(1, 2)


class Network(nn.Module):
    def __init__(self, kind):
        super().__init__()
        first, second, third = WIDTHS[kind]
        layers = [BiLSTM(first, second // 2), BiLSTM(second, third // 2)] if kind == "bilstm" else None
        self.words = nn.Embedding(len(WORDS) + 2, first)
        self.body = nn.ModuleDict({"layers": nn.ModuleList(layers or [CNN(first, second), CNN(second, third)])})
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(third, len(LABELS))

    def forward(self, ids, mask):
        return self.above(self.words(ids), mask, 0)

    def above(self, states, mask, layer):
        """Runs the layers behind `layer` and the head by hand."""
        for part in self.body["layers"][layer:]:
            output = part(self.dropout(states), mask)
            states = output if isinstance(output, torch.Tensor) else output[0]
        return self.head(self.pool(states, mask))

    def pool(self, states, mask):
        return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


PARTS = {"embedding": "words", "layers": ("body.layers.0", "body.layers.1"), "output": "head", "labels": LABELS}


def classifier(network, tokenizer=None, **changes):
    return ModuleClassifier(network, tokenizer or word_tokenizer(WORDS), **{**PARTS, "name": "tiny", **changes})


@pytest.fixture(params=["bilstm", "cnn"])
def model(request):
    torch.manual_seed(0)
    return classifier(Network(request.param).double())


@pytest.fixture
def batch(model):
    return model.pad([model.tokenize_source(text) for text in TEXTS])


def all_states(model, batch):
    embeddings = model.embed(batch.ids)
    return (embeddings, *model.encoder_states(embeddings, batch.mask))


def by_hand(network, batch):
    """Outputs of embedding and layers."""
    states = [network.words(batch.ids)]
    for layer in network.body["layers"]:
        output = layer(states[-1], batch.mask)
        states.append(output if isinstance(output, torch.Tensor) else output[0])
    return states


def test_is_a_classifier_and_no_translation_model(model):
    assert isinstance(model, Classifier)
    assert not isinstance(model, TranslationModel)
    assert (model.labels, model.encoder_layers, model.max_source_pieces) == (LABELS, 2, 512)
    assert (model.pad_id, model.unknown_id, model.mask_id) == (0, 1, None)
    assert model.words_by.startswith("spacy/")


def test_encoder_states_are_the_layers_outputs(model, batch):
    for ours, theirs in zip(all_states(model, batch), by_hand(model.model, batch), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("from_layer", "to_layer"), [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)])
def test_leaving_at_a_layer_gives_its_output(model, batch, from_layer, to_layer):
    states = by_hand(model.model, batch)
    assert torch.equal(model.encode(states[from_layer], batch.mask, from_layer, to_layer), states[to_layer])
    assert torch.equal(model.encode(states[from_layer], batch.mask, from_layer), states[-1])


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_entering_at_a_layer_runs_what_is_above_it(model, batch, layer):
    states = by_hand(model.model, batch)[layer]
    whole = model.model(batch.ids, batch.mask)
    assert torch.equal(model.classify(states, batch.mask, layer), whole)
    other = torch.randn(states.shape, dtype=states.dtype, generator=torch.Generator().manual_seed(1))
    assert torch.equal(model.classify(other, batch.mask, layer), model.model.above(other, batch.mask, layer))
    assert not torch.allclose(model.classify(other, batch.mask, layer), whole)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_pooled_state_is_what_the_output_layer_reads(model, batch, layer):
    states = by_hand(model.model, batch)
    pooled = model.pooled(states[layer], batch.mask, layer)
    assert torch.equal(pooled, model.model.pool(states[-1], batch.mask))


@pytest.mark.parametrize(("from_layer", "to_layer"), [(0, 3), (3, None), (2, 1), (-1, None)])
def test_layers_that_are_not_there_are_refused(model, batch, from_layer, to_layer):
    with pytest.raises(RequestError, match="of 2 layers"):
        model.encode(model.embed(batch.ids), batch.mask, from_layer, to_layer)


def test_padding_and_order_change_nothing(model, batch):
    states, scores = all_states(model, batch), model.model(batch.ids, batch.mask)
    for row, text in enumerate(TEXTS):
        alone = model.pad([model.tokenize_source(text)])
        for ours, theirs in zip(all_states(model, alone), states, strict=True):
            assert_close(ours[0], theirs[row, : len(ours[0])])
        assert_close(model.classify(model.embed(alone.ids), alone.mask)[0], scores[row])
    flipped = batch.rows(torch.tensor([2, 1, 0]))
    assert_close(model.classify(model.embed(flipped.ids), flipped.mask).flip(0), scores)


def snapshot(network):
    hooks = sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in network.modules())
    return hooks, [part.training for part in network.modules()], copy.deepcopy(network.state_dict())


def test_the_module_is_left_as_it_was(model, batch):
    before = snapshot(model.model)
    states = all_states(model, batch)
    for layer in (0, 1, 2):
        model.encode(states[layer], batch.mask, layer)
        model.pooled(states[layer], batch.mask, layer)
    for layer in (0, 1):
        for run in (model.encode, model.classify, model.pooled):
            with pytest.raises(RuntimeError):
                run(states[layer][..., 1:], batch.mask, layer)
    after = snapshot(model.model)
    assert before[:2] == after[:2] == (0, [False] * len(before[1]))
    assert all(torch.equal(weight, after[2][name]) for name, weight in before[2].items())


def test_gradients_reach_the_states_from_any_layer_and_nowhere_else(model, batch):
    for layer, states in enumerate(all_states(model, batch)):
        given = states.detach().requires_grad_()
        model.classify(given, batch.mask, layer).square().sum().backward()
        assert (given.grad.abs().sum(2) > 0)[batch.mask].all()
        assert not given.grad[~batch.mask].any()


def test_a_method_runs_over_it(model):
    sentences = [model.tokenize_source(text) for text in TEXTS]
    together = Gradient()(model, sentences, [0, 1, 2])
    alone = [Gradient()(model, [sentence], [label])[0] for label, sentence in enumerate(sentences)]
    for ours, theirs in zip(together, alone, strict=True):
        assert_close(torch.tensor(ours.scores), torch.tensor(theirs.scores))


def test_parts_hold_all_weights_from_the_output_to_the_embedding(model):
    names, modules = zip(*model.parts, strict=True)
    assert names == ("head", "body.layers.1", "body.layers.0", "words")
    assert modules[-1] is model.model
    held = {id(weight) for module in (*modules[:-1], model.model.words) for weight in module.parameters()}
    assert held == {id(weight) for weight in model.model.parameters()}


def test_the_fingerprint_follows_the_weights(model):
    changed = copy.deepcopy(model.model)
    assert classifier(changed).fingerprint == model.fingerprint
    changed.head.bias.data += 1e-9
    assert classifier(changed).fingerprint != model.fingerprint


def test_words_of_a_vocabulary_are_pieces(tmp_path):
    tokenizer = word_tokenizer(WORDS)
    tokenizer.save_pretrained(tmp_path)
    for read in (tokenizer, hf.AutoTokenizer.from_pretrained(tmp_path)):
        model = classifier(Network("cnn"), read)
        sentence = model.tokenize_source("a  dog's [PAD] DOG")
        assert sentence.ids[:2] == (3, 1)
        assert sentence.spans[:2] == ((0, 1), (3, 8))
        assert [word.text for word in sentence.words][:2] == ["a", "dog's"]
        assert model.pad_id not in sentence.ids
        assert -1 not in sentence.word_index


def test_special_pieces_of_another_tokenizer_belong_to_no_word():
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "dog", "green"])}
    model = classifier(Network("bilstm"), hf.BertTokenizer(vocab=vocabulary, model_max_length=20))
    assert model.tokenize_source("Green dog").ids == (2, 6, 5, 3)
    assert model.tokenize_source("Green dog").word_index == (-1, 0, 1, -1)
    assert (model.mask_id, model.max_source_pieces) == (4, 20)


class Twice(Network):
    """Runs its first layer twice."""

    def forward(self, ids, mask):
        states = self.words(ids)
        self.body["layers"][0](states, mask)
        return self.above(states, mask, 0)


@pytest.mark.parametrize(
    ("network", "changes", "message"),
    [
        (Network, {"embedding": "pieces"}, "no part 'pieces'; it has words, body, body.layers"),
        (Network, {"layers": ("body.layers.0", "body.layers.2")}, "no part 'body.layers.2'"),
        (
            Network,
            {"layers": ("body.layers.1", "body.layers.0")},
            "do not run in the order body.layers.1, body.layers.0",
        ),
        (
            Network,
            {"layers": ("head",)},
            r"head must run once and return \(B, S, D\); for \(1, 2\) it returned \[\(1, 3\)\]",
        ),
        (Twice, {}, r"body.layers.0 must run once .* returned \[\(1, 2, 6\), \(1, 2, 6\)\]"),
        (Network, {"output": "words"}, r"words must run once, on an input of shape \(B, D\)"),
        (Network, {"labels": ("bad", "good")}, r"2 labels, but scores of shape \(1, 3\)"),
        (
            Network,
            {"tokenizer": hf.PreTrainedTokenizerFast(tokenizer_object=word_tokenizer(WORDS)._tokenizer)},
            "pad_token",
        ),
    ],
)
def test_a_module_that_breaks_the_promise_is_refused(network, changes, message):
    with pytest.raises(RequestError, match=message) as caught:
        classifier(network("cnn"), **changes)
    assert "\n" not in str(caught.value)
