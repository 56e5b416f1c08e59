"""Weights and configurations that do not fit are named; that those that fit compute the same is in test_ssru.py."""

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.models.marian_binary import read_marian_binary
from nmt_ib.models.marian_weights import build_model
from tests.oracles.marian_file import CONFIG, random_tensors, write


@pytest.fixture
def tensors():
    return random_tensors(CONFIG, 30, 16)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("type", "s2s"),
        ("transformer-preprocess", "n"),
        ("transformer-postprocess", "da"),
        ("transformer-decoder-autoreg", "average-attention"),
        ("dec-cell", "gru"),
        ("transformer-ffn-activation", "gelu"),
        ("tied-embeddings-all", False),
        ("transformer-train-position-embeddings", True),
    ],
)
def test_an_option_that_is_not_covered_is_named(tmp_path, tensors, key, value):
    path = write(tmp_path / "model.bin", {**CONFIG, key: value}, tensors)
    with pytest.raises(RequestError, match=f"option {key}: {value!r} is not supported"):
        build_model(read_marian_binary(path))


def test_weights_that_the_configuration_promises_but_the_file_lacks_are_named(tmp_path, tensors):
    path = write(tmp_path / "deeper.bin", {**CONFIG, "dec-depth": 3}, tensors)
    with pytest.raises(RequestError, match="decoder_l3"):
        build_model(read_marian_binary(path))
    path = write(tmp_path / "other.bin", {**CONFIG, "transformer-decoder-autoreg": "self-attention"}, tensors)
    with pytest.raises(RequestError, match="decoder_l1_self_Wq"):
        build_model(read_marian_binary(path))
    del tensors["Wemb"]
    with pytest.raises(RequestError, match="Wemb"):
        build_model(read_marian_binary(write(tmp_path / "bare.bin", CONFIG, tensors)))


def test_weights_that_have_no_place_in_the_model_are_named(tmp_path, tensors):
    path = write(tmp_path / "model.bin", {**CONFIG, "dec-depth": 1}, tensors)
    with pytest.raises(RequestError, match="weights are not part of the model: decoder_l2_context_Wk"):
        build_model(read_marian_binary(path))


def test_settings_that_the_configuration_lacks_are_named(tmp_path, tensors):
    config = {key: value for key, value in CONFIG.items() if key != "transformer-heads"}
    with pytest.raises(RequestError, match="transformer-heads"):
        build_model(read_marian_binary(write(tmp_path / "model.bin", config, tensors)))


def test_weights_of_another_size_are_named(tmp_path, tensors):
    path = write(tmp_path / "model.bin", {**CONFIG, "transformer-dim-ffn": 32}, tensors)
    with pytest.raises(RequestError, match="size"):
        build_model(read_marian_binary(path))
