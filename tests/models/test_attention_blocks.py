"""Attention blocks of every architecture: they add up to what the model computed, vector by vector."""

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.models.hooks import capture_input
from nmt_ib.protocols import AttendingEncoder, AttendingTranslator
from tests.contracts import test_encoder_model, test_translation_model
from tests.oracles.alti import PRE_NORM, slow_encoder, slow_translation
from tests.tiny_encoders import ENCODERS
from tests.tiny_models import ENGLISH, MODELS, PORTUGUESE

SOURCES = ("A red dog.", "no", *ENGLISH[:2])
TARGETS = ("Um cão.", "Nunca", *PORTUGUESE[:2])


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


def encoder_run(model, texts=SOURCES):
    batch = model.pad([model.tokenize_source(text) for text in texts])
    return batch, model.encoder_blocks(model.embed(batch.ids), batch.mask)


def decoder_run(model, sources=SOURCES, targets=TARGETS):
    batch = model.pad([model.tokenize_source(text) for text in sources])
    forced = model.pad([model.tokenize_target(text) for text in targets])
    encoded = model.encode(model.embed(batch.ids), batch.mask)
    return batch, forced, model.decoder_blocks(encoded, batch.mask, forced.ids)


def all_rows(block):
    return block.transformed_vectors(slice(0, block.output.shape[1]))


def assert_adds_up(block):
    assert_close(all_rows(block).sum(2) + block.residual + block.bias, block.output, rtol=0, atol=1e-10)


def assert_equals(block, row, slow):
    length, reads = len(slow.output), len(slow.transformed[0])
    tolerance = {"rtol": 0, "atol": 1e-10}
    assert_close(block.output[row, :length], torch.stack(slow.output), **tolerance)
    assert_close(block.residual[row, :length], torch.stack(slow.residual), **tolerance)
    transformed = torch.stack([torch.stack(vectors) for vectors in slow.transformed])
    assert_close(all_rows(block)[row, :length, :reads], transformed, **tolerance)
    assert block.is_cross == slow.is_cross


@pytest.mark.parametrize("name", ENCODERS)
def test_encoder_blocks_equal_the_definition_and_add_up(tiny_encoder, name):
    model = tiny_encoder(name)
    assert isinstance(model, AttendingEncoder)
    blocks = encoder_run(model)[1]
    slow = slow_encoder(model, name, model.tokenize_source(SOURCES[0]))
    assert len(blocks) == len(slow) == model.encoder_layers
    for block, expected in zip(blocks, slow, strict=True):
        assert_adds_up(block)
        assert_equals(block, 0, expected)


@pytest.mark.parametrize("name", MODELS)
def test_blocks_of_a_translation_model_equal_the_definition_and_add_up(tiny_model, name):
    tiny = tiny_model(name)
    model = tiny.model
    assert isinstance(model, AttendingTranslator)
    inner, outer = encoder_run(model)[1], decoder_run(model)[2]
    source, target = model.tokenize_source(SOURCES[0]), model.tokenize_target(TARGETS[0])
    slow_inner, slow_outer = slow_translation(tiny, name, source, target)
    assert (len(inner), len(outer)) == (model.encoder_layers, model.decoder_layers)
    found = [*inner, *(block for pair in outer for block in pair)]
    for block, expected in zip(found, [*slow_inner, *(slow for pair in slow_outer for slow in pair)], strict=True):
        assert_adds_up(block)
        assert_equals(block, 0, expected)


@pytest.mark.parametrize("name", PRE_NORM)
def test_where_the_norm_stands_first_the_feed_forward_part_reads_the_output(tiny_model, name):
    model = tiny_model(name).model
    last = "layer.{}.layer_norm" if model.layout.layers == "block" else "final_layer_norm"
    layer = model.encoder.get_submodule(f"{model.layout.layers}.1")
    with capture_input(layer.get_submodule(last.format(1))) as read:
        block = encoder_run(model)[1][1]
    assert_close(block.output, read[0])
    layer = model.decoder.get_submodule(f"{model.layout.layers}.1")
    with capture_input(layer.get_submodule(last.format(2))) as read:
        block = decoder_run(model)[2][1][1]
    assert_close(block.output, read[0])


@pytest.mark.parametrize("name", ["marian", "ssru", "mbart-50", "t5"])
def test_rows_are_those_of_the_whole_and_nothing_comes_from_padding_or_from_what_follows(tiny_model, name):
    model = tiny_model(name).model
    batch, _, pairs = decoder_run(model)
    for own, cross in pairs:
        for block in (own, cross):
            assert block.input_length == all_rows(block).shape[2]
            assert_close(block.transformed_vectors(slice(2, 5)), all_rows(block)[:, 2:5])
        assert all_rows(cross).transpose(1, 2)[~batch.mask].count_nonzero() == 0
        later = torch.ones(own.input_length, own.input_length, dtype=torch.bool).triu(1)
        assert all_rows(own)[:, later].count_nonzero() == 0


def test_gates_that_are_shut_or_open_leave_no_nan(tiny_model):
    model = tiny_model("ssru").model
    forget = model.decoder.layers[0].self_attn.forget
    bias = forget.bias.detach().clone()
    for shift in (-1e4, 1e4):
        forget.bias.copy_(bias + shift)
        try:
            block = decoder_run(model)[2][0][0]
        finally:
            forget.bias.copy_(bias)
        assert_adds_up(block)


@pytest.mark.parametrize("name", ["ssru", "mbart-50", "t5"])
def test_given_embeddings_stand_in_for_the_decoders_own(tiny_model, name):
    model = tiny_model(name).model
    batch, forced, plain = decoder_run(model)
    encoded = model.encode(model.embed(batch.ids), batch.mask)
    inputs = model.embed_target(forced.ids)
    again = model.decoder_blocks(encoded, batch.mask, forced.ids, inputs=inputs)
    other = model.decoder_blocks(encoded, batch.mask, forced.ids, inputs=2 * inputs)
    assert_close(again[-1][1].output, plain[-1][1].output)
    assert not torch.allclose(other[-1][1].output, plain[-1][1].output)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_is_left_as_it_was_also_after_an_error(tiny_model, name):
    model = tiny_model(name).model
    before = test_translation_model.snapshot(model)
    batch, forced, _ = decoder_run(model)
    embeddings = model.embed(batch.ids)
    with pytest.raises(RuntimeError):
        model.encoder_blocks(embeddings[..., 1:], batch.mask)
    with pytest.raises(RuntimeError):
        model.decoder_blocks(model.encode(embeddings, batch.mask)[..., 1:], batch.mask, forced.ids)
    assert test_translation_model.snapshot(model) == before


@pytest.mark.parametrize("name", ENCODERS)
def test_the_encoder_is_left_as_it_was_also_after_an_error(tiny_encoder, name):
    model = tiny_encoder(name)
    before = test_encoder_model.snapshot(model)
    batch, _ = encoder_run(model)
    with pytest.raises(RuntimeError):
        model.encoder_blocks(model.embed(batch.ids)[..., 1:], batch.mask)
    assert test_encoder_model.snapshot(model) == before
