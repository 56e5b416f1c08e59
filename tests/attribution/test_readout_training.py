"""Training of a readout network: it learns, resumes to the same network, and refuses foreign directories."""

import json
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.readout import Readout
from nmt_ib.attribution.readout_training import ReadoutTraining, train_readout
from nmt_ib.errors import RequestError
from tests.oracles.linear_classifier import Linear
from tests.tiny_models import ENGLISH, PORTUGUESE

KINDS = ("ssru", "bart", "bert-classifier", "electra-classifier")
TRAINING = ReadoutTraining(beta=0.2, steps=6, batch_size=2, learning_rate=0.01, seed=3)


@pytest.fixture(params=KINDS)
def asked(request, tiny_model, tiny_encoder):
    """A model, sentences of different lengths, and translations or labels."""
    if request.param.endswith("classifier"):
        model = tiny_encoder(request.param)
        return model, [model.tokenize_source(text) for text in (*ENGLISH, "no")], [0, 1, 2, 1, 0]
    model = tiny_model(request.param).model
    texts = (*PORTUGUESE, "Um")
    return model, [model.tokenize_source(text) for text in (*ENGLISH, "no")], [model.tokenize_target(t) for t in texts]


def test_training_lowers_the_loss_and_leaves_the_model_unchanged(asked, tmp_path):
    model, sources, targets = asked
    before = {name: (weight.clone(), weight.grad) for name, weight in model.model.named_parameters()}
    losses = []
    training = replace(TRAINING, beta=2.0, steps=40, batch_size=8)

    def progress(step, terms):
        # the weight rises: compare at its final value
        losses.append(terms["target_nats"] + 2.0 * terms["information_nats"] / width)

    width = model.embed(torch.tensor([[0]])).shape[2]
    network = train_readout(model, sources, targets, tmp_path, training=training, progress=progress)
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    assert not network.training
    for name, weight in model.model.named_parameters():
        assert torch.equal(weight, before[name][0])
        assert weight.grad is before[name][1]


def test_an_interrupted_training_resumes_to_the_same_network(asked, tmp_path):
    model, sources, targets = asked
    whole = train_readout(model, sources, targets, tmp_path / "whole", training=TRAINING)

    def cut_off(step, terms):
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_readout(model, sources, targets, tmp_path / "cut", training=TRAINING, progress=cut_off, save_every=3)
    seen = []
    again = train_readout(
        model, sources, targets, tmp_path / "cut", training=TRAINING, progress=lambda step, terms: seen.append(step)
    )
    assert seen == [4, 5, 6]
    for name, weight in whole.state_dict().items():
        assert_close(again.state_dict()[name], weight, rtol=0, atol=1e-12)


def test_another_training_in_the_same_directory_is_an_error(asked, tmp_path):
    model, sources, targets = asked
    train_readout(model, sources, targets, tmp_path, training=TRAINING)
    with pytest.raises(RequestError, match="another training"):
        train_readout(model, sources, targets, tmp_path, training=replace(TRAINING, beta=0.3))
    with pytest.raises(RequestError, match="another training"):
        train_readout(model, sources[1:], targets[1:], tmp_path, training=TRAINING)


def test_training_opens_the_gates_of_relevant_words(tmp_path):
    """The score is the sum of the words' first numbers: pieces 0 and 1 say nothing, pieces 2 and 3 say yes."""
    states = torch.tensor([[-0.5, 3.0], [-0.5, -3.0], [2.5, 1.0], [2.0, -2.0]])
    model = Linear(torch.tensor([[1.0, 0.0]]), states)
    sources = [model.tokenize_source(text) for text in ("0 2 1", "1 3 0 0", "2 0", "3 1 1")]
    training = ReadoutTraining(beta=0.05, steps=300, batch_size=4, learning_rate=3e-3)
    network = train_readout(model, sources, [1] * 4, tmp_path, training=training)
    found = Readout(network)(model, sources, [1] * 4)
    needed = [bits for one in found for piece, bits in zip(one.tokens, one.bits, strict=True) if piece in "23"]
    others = [bits for one in found for piece, bits in zip(one.tokens, one.bits, strict=True) if piece in "01"]
    assert min(needed) > 10 * max(others)


def test_saved_files(asked, tmp_path):
    model, sources, targets = asked
    train_readout(model, sources, targets, tmp_path, training=TRAINING)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"network.npz", "readout.json", "statistics.npz", "training.json", "checkpoint.safetensors"}
    assert json.loads((tmp_path / "readout.json").read_text())["model"] == model.fingerprint


def test_the_weight_of_information_rises_over_the_first_half():
    training = ReadoutTraining(beta=2.0, steps=8)
    assert [training.beta_at(step) for step in range(8)] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 2.0])


def test_a_wrong_normalization_is_named():
    with pytest.raises(RequestError, match="unknown normalization 'sum'; known: word, mean"):
        ReadoutTraining(normalization="sum")
