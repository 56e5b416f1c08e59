"""The readout network: what it is made of, how it is trained, kept and found again."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.gate import information
from nmt_ib.attribution.readout import Readout, ReadoutNetwork, load_readout
from nmt_ib.attribution.readout_training import ReadoutTraining, train_readout
from nmt_ib.attribution.statistics import measure_statistics
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


def randomised(network):
    """Gates that differ from word to word."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    return network


def test_gates_start_open(asked):
    model, sources, targets = asked
    network = ReadoutNetwork(measure_statistics(model, sources))
    batch = model.pad(sources)
    alpha = network.gates(model, batch)
    assert alpha.shape == (len(sources), max(len(source.words) for source in sources), 1)
    for row, source in enumerate(sources):
        assert_close(
            alpha[row, : len(source.words)], torch.full_like(alpha[row, : len(source.words)], 5.0), rtol=0, atol=0.05
        )


@pytest.mark.parametrize("layer", [0, 2])
def test_bits_are_those_of_the_words_gates(asked, layer):
    model, sources, targets = asked
    statistics = measure_statistics(model, sources)
    network = randomised(ReadoutNetwork(statistics, layer=layer, hidden=(5, 4)))
    for found, source in zip(Readout(network)(model, sources, targets), sources, strict=True):
        ids, mask = torch.tensor([source.ids]), torch.ones(1, len(source), dtype=torch.bool)
        embeddings = model.embed(ids)
        states = (embeddings, *model.encoder_states(embeddings, mask))
        read = [(state[0] - part.mean) / part.std for state, part in zip(states, network.read, strict=True)]
        hidden = torch.cat(read, dim=1)
        for step in network.steps:
            hidden = step(hidden)
        pieces, here = hidden[:, 0].clamp(-5, 5), read[layer]
        for place, word in enumerate(source.word_index):
            if word < 0:
                assert found.bits[place] == 0
                continue
            gate = torch.stack([pieces[other] for other, same in enumerate(source.word_index) if same == word]).mean()
            expected = float(information(gate.detach()[None], here[place].detach())) / math.log(2)
            assert found.bits[place] == pytest.approx(expected, rel=1e-6)
        assert found.scores == found.bits
        assert (found.unit, found.layer, found.passes) == ("bits", layer, 1)


def test_neither_batch_size_nor_order_nor_the_answer_changes_anything(asked):
    model, sources, targets = asked
    readout = Readout(randomised(ReadoutNetwork(measure_statistics(model, sources))))
    expected = torch.tensor([bits for found in readout(model, sources, targets) for bits in found.bits])
    alone = readout(model, sources[::-1], targets, batch_size=1)[::-1]
    assert_close(torch.tensor([bits for found in alone for bits in found.bits]), expected, rtol=1e-6, atol=1e-7)


def test_training_lowers_the_loss_and_leaves_the_model_alone(asked, tmp_path):
    model, sources, targets = asked
    before = {name: (weight.clone(), weight.grad) for name, weight in model.model.named_parameters()}
    losses = []
    training = replace(TRAINING, beta=2.0, steps=40, batch_size=8)

    def progress(step, terms):
        # the price rises: compare at the full one
        losses.append(terms["answer_nats"] + 2.0 * terms["information_nats"] / width)

    width = model.embed(torch.tensor([[0]])).shape[2]
    network = train_readout(model, sources, targets, tmp_path, training=training, progress=progress)
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    assert not network.training
    for name, weight in model.model.named_parameters():
        assert torch.equal(weight, before[name][0])
        assert weight.grad is before[name][1]


def test_a_training_that_was_cut_off_goes_on_to_the_same_network(asked, tmp_path):
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


def test_another_training_in_the_same_directory_is_refused(asked, tmp_path):
    model, sources, targets = asked
    train_readout(model, sources, targets, tmp_path, training=TRAINING)
    with pytest.raises(RequestError, match="another training"):
        train_readout(model, sources, targets, tmp_path, training=replace(TRAINING, beta=0.3))
    with pytest.raises(RequestError, match="another training"):
        train_readout(model, sources[1:], targets[1:], tmp_path, training=TRAINING)


def test_a_network_comes_back_from_its_directory(asked, tmp_path):
    model, sources, targets = asked
    network = randomised(ReadoutNetwork(measure_statistics(model, sources), layer=1, hidden=(6, 3)))
    network.save(tmp_path / "new")
    assert Readout(tmp_path / "new")(model, sources, targets) == Readout(network)(model, sources, targets)
    assert load_readout(tmp_path / "new", model).hidden == (6, 3)


def test_a_network_of_another_model_is_refused(asked, tmp_path):
    model, sources, targets = asked
    statistics = replace(measure_statistics(model, sources), model="another")
    network = ReadoutNetwork(statistics)
    with pytest.raises(RequestError, match="another model than tiny"):
        Readout(network)(model, sources, targets)
    network.save(tmp_path)
    with pytest.raises(RequestError, match="another model than tiny"):
        Readout(str(tmp_path))(model, sources, targets)


def test_a_directory_without_a_network_is_named(asked, tmp_path):
    model, sources, targets = asked
    with pytest.raises(RequestError, match=r"no readout\.json"):
        Readout(tmp_path)(model, sources, targets)


def test_training_learns_to_let_through_what_the_answer_needs(tmp_path):
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


def test_what_is_kept_is_plain(asked, tmp_path):
    model, sources, targets = asked
    train_readout(model, sources, targets, tmp_path, training=TRAINING)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"network.npz", "readout.json", "statistics.npz", "training.json", "checkpoint.safetensors"}
    assert json.loads((tmp_path / "readout.json").read_text())["model"] == model.fingerprint


def test_every_gate_can_learn_from_the_start(asked):
    model, sources, _ = asked
    network = ReadoutNetwork(measure_statistics(model, sources))
    batch = model.pad(sources)
    words = batch.word_index.amax(1) + 1
    alpha = network.gates(model, batch)
    real = torch.arange(alpha.shape[1]) < words[:, None]
    assert (alpha[..., 0][real] < 5.0).all()
