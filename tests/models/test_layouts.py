"""Every name of the layouts table is that of a module of the tiny model of its architecture."""

from dataclasses import fields

import pytest
from transformers import BertConfig, DebertaV2Config, GPT2Config, MarianConfig

from nmt_ib.errors import RequestError
from nmt_ib.models.layouts import (
    ENCODERS,
    SEQ2SEQ,
    AttentionLayout,
    RecurrenceLayout,
    encoder_layout,
    seq2seq_layout,
)
from tests import tiny_encoders, tiny_models


def check_names(layer, layout):
    """Asserts that a layer has the modules of a block."""
    for field in fields(layout):
        name = getattr(layout, field.name)
        assert not isinstance(name, str) or layer.get_submodule(name) is not None


@pytest.mark.parametrize("name", tiny_models.MODELS)
def test_a_translation_model_has_what_its_row_names(tiny_model, name):
    network = tiny_model(name).model.model
    layout = seq2seq_layout(network.config)
    for layer in getattr(network.get_encoder(), layout.layers):
        check_names(layer, layout.self_attention)
    for layer in getattr(network.get_decoder(), layout.layers):
        for block in (layout.recurrence or layout.self_attention, layout.cross_attention):
            check_names(layer, block)
    assert layout.cross_attention.crosses
    assert isinstance(layout.recurrence, RecurrenceLayout | None)


@pytest.mark.parametrize("name", tiny_encoders.ENCODERS)
def test_an_encoder_has_what_its_row_names(tiny_encoder, name):
    network = tiny_encoder(name).model
    layout = encoder_layout(network.config)
    assert isinstance(layout.attention, AttentionLayout)
    for layer in getattr(network.base_model.get_submodule(layout.stack), layout.layers):
        check_names(layer, layout.attention)
    assert network.base_model.get_submodule(layout.embeddings) is not None
    if name.endswith("classifier"):
        assert network.get_submodule(layout.output).out_features == 3


def test_every_architecture_has_a_tiny_model(tiny_model, tiny_encoder):
    types = {tiny_model(name).model.model.config.model_type for name in tiny_models.MODELS}
    assert types == set(SEQ2SEQ)
    assert {tiny_encoder(name).model.config.model_type for name in tiny_encoders.ENCODERS} == set(ENCODERS)


def test_other_architectures_are_refused():
    with pytest.raises(RequestError, match="'bert' is not supported as a translation model; supported: marian, "):
        seq2seq_layout(BertConfig())
    for config in (GPT2Config(), MarianConfig()):
        with pytest.raises(RequestError, match=f"'{config.model_type}' is not supported as an encoder; supported: b"):
            encoder_layout(config)
    with pytest.raises(RequestError, match="DeBERTa with a convolution"):
        encoder_layout(DebertaV2Config(conv_kernel_size=3))
