"""Rollout against sums over all paths, and the attributions made of it."""

from itertools import product

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.attribution.mixing import Mixing, decoder_rollout, mixing_attributions, resolve_layer, rollout
from nmt_ib.errors import RequestError
from tests.attribution.examples import example_inputs, figures


def shares(*shape, seed=0):
    """Rows that sum to 1."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)).double().softmax(-1)


def test_a_rollout_is_the_sum_over_all_paths():
    layers = [shares(1, 3, 3, seed=seed) for seed in range(3)]
    expected = torch.zeros(3, 3).double()
    for top, above, below, bottom in product(range(3), repeat=4):
        expected[top, bottom] += layers[2][0, top, above] * layers[1][0, above, below] * layers[0][0, below, bottom]
    assert_close(rollout(layers)[0], expected)


def test_a_rollout_of_the_decoder_is_recursive_in_its_layers():
    encoded, source, target = shares(1, 2, 2), 2, 3
    layers = [(shares(1, target, target, seed=k), shares(1, target, source + 1, seed=9 + k)) for k in range(2)]
    inputs = torch.cat([torch.zeros(target, source), torch.eye(target)], dim=1).double()
    for own, cross in layers:
        rows = []
        for position in range(target):
            mixed = sum(own[0, position, other] * inputs[other] for other in range(target)) * cross[0, position, source]
            mixed[:source] += sum(cross[0, position, piece] * encoded[0, piece] for piece in range(source))
            rows.append(mixed)
        inputs = torch.stack(rows)
    found = decoder_rollout(layers, encoded)[0]
    assert_close(found, inputs)
    assert_close(found.sum(1), torch.ones(target).double())


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_attributions_of_given_shares(tiny_model, tiny_encoder, batch_size):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, "bart")

    def mix(batch, forced):
        rows, pieces = forced.ids.shape[1], batch.ids.shape[1]
        source = torch.arange(rows)[:, None] * 100.0 + torch.arange(pieces)
        prefix = torch.arange(rows)[:, None] * 100.0 + torch.arange(rows)
        copies = len(batch.ids)
        return Mixing(source.expand(copies, -1, -1), prefix.expand(copies, -1, -1), passes=3)

    found = mixing_attributions(model, sources, targets, batch_size, mix, method="given", layer=2)
    for source, target, each in zip(sources, targets, found, strict=True):
        matrix, prefix = figures(each.matrix), figures(each.prefix_matrix)
        for word in range(len(source.words)):
            places = [place for place, index in enumerate(source.word_index) if index == word]
            for token in range(len(target)):
                assert matrix[word, token] == sum(token * 100.0 + place for place in places)
        for read, token in product(range(len(target)), repeat=2):  # token `read` is read at position `read` + 1
            last = read == max(map(len, targets)) - 1 if batch_size == 8 else read == len(target) - 1
            assert last or prefix[read, token] == token * 100.0 + read + 1
        assert (each.method, each.part, each.layer, each.passes) == ("given", "decoder", 2, 3)


def test_a_classifier_reads_the_first_row_and_a_bare_encoder_the_mean(tiny_encoder):
    for name, expected in (("bert-classifier", 0.0), ("bert", 1.5)):
        model = tiny_encoder(name)
        source = model.tokenize_source("The house is old.")
        rows = torch.arange(4.0)[:, None].expand(-1, len(source))[None].double()

        def mix(batch, forced, rows=rows):
            repeated = rows[:, :1].expand(1, batch.ids.shape[1], -1).clone()
            repeated[0, :, :] = torch.linspace(0, 3, batch.ids.shape[1])[:, None]
            return Mixing(repeated, None)

        targets = [0] if name.endswith("classifier") else None
        found = mixing_attributions(model, [source], targets, 4, mix, method="given", layer=1)[0]
        for score, special in zip(found.scores, found.special, strict=True):
            assert score == pytest.approx(0.0 if special else expected)
        assert found.matrix is None or not name.endswith("classifier") or len(found.matrix[0]) == 1


def test_layers(tiny_model, tiny_encoder):
    assert resolve_layer(tiny_model("ssru").model, None) == 2
    assert resolve_layer(tiny_encoder("bert"), 1) == 1
    with pytest.raises(RequestError, match="encoder layers 1 to 3, not 4"):
        resolve_layer(tiny_encoder("bert"), 4)
