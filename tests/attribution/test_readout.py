"""The readout network: its gates and bits, and its files."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.gate import gate_nats
from nmt_ib.attribution.readout import Readout, ReadoutNetwork, load_readout
from nmt_ib.attribution.statistics_measurement import measure_statistics
from nmt_ib.errors import RequestError
from tests.tiny_models import ENGLISH, PORTUGUESE

KINDS = ("ssru", "bart", "bert-classifier", "electra-classifier")


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
        read = [(state[0] - part.mean) / part.std for state, part in zip(states, network.inputs, strict=True)]
        hidden = torch.cat(read, dim=1)
        for step in network.steps:
            hidden = step(hidden)
        pieces, here = hidden[:, 0].clamp(-5, 5), read[layer]
        for place, word in enumerate(source.word_index):
            if word < 0:
                assert found.bits[place] == 0
                continue
            gate = torch.stack([pieces[other] for other, same in enumerate(source.word_index) if same == word]).mean()
            expected = float(gate_nats(gate.detach()[None], here[place].detach())) / math.log(2)
            assert found.bits[place] == pytest.approx(expected, rel=1e-6)
        assert found.scores == found.bits
        assert (found.unit, found.layer, found.passes) == ("bits", layer, 1)


def test_results_do_not_depend_on_batch_size_order_and_target(asked):
    model, sources, targets = asked
    readout = Readout(randomised(ReadoutNetwork(measure_statistics(model, sources))))
    expected = torch.tensor([bits for found in readout(model, sources, targets) for bits in found.bits])
    alone = readout(model, sources[::-1], targets, batch_size=1)[::-1]
    assert_close(torch.tensor([bits for found in alone for bits in found.bits]), expected, rtol=1e-6, atol=1e-7)


def test_a_network_is_loaded_from_its_directory(asked, tmp_path):
    model, sources, targets = asked
    network = randomised(ReadoutNetwork(measure_statistics(model, sources), layer=1, hidden=(6, 3)))
    network.save(tmp_path / "new")
    assert Readout(tmp_path / "new")(model, sources, targets) == Readout(network)(model, sources, targets)
    assert load_readout(tmp_path / "new", model).hidden == (6, 3)


def test_a_network_of_another_model_is_an_error(asked, tmp_path):
    model, sources, targets = asked
    statistics = replace(measure_statistics(model, sources), model="another")
    network = ReadoutNetwork(statistics)
    with pytest.raises(RequestError, match="another model, not for tiny"):
        Readout(network)(model, sources, targets)
    network.save(tmp_path)
    with pytest.raises(RequestError, match="another model, not for tiny"):
        Readout(str(tmp_path))(model, sources, targets)


def test_a_directory_without_a_network_is_named(asked, tmp_path):
    model, sources, targets = asked
    with pytest.raises(RequestError, match=r"no readout\.json"):
        Readout(tmp_path)(model, sources, targets)


def test_initial_gates_are_below_the_clamp(asked):
    model, sources, _ = asked
    network = ReadoutNetwork(measure_statistics(model, sources))
    batch = model.pad(sources)
    words = batch.word_index.amax(1) + 1
    alpha = network.gates(model, batch)
    real = torch.arange(alpha.shape[1]) < words[:, None]
    assert (alpha[..., 0][real] < 5.0).all()
