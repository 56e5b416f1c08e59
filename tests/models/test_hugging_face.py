"""Hugging Face directories against the models saved in them; damaged ones are refused, and no file runs code."""

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from nmt_ib.models.loading import (
    load_encoder_model,
    load_model,
    load_translation_model,
)
from nmt_ib.protocols import Classifier
from tests.saved_models import SETTINGS, TARGET, TEXT, Malicious, refused, save, scores
from tests.tiny_encoders import ENCODERS


@pytest.mark.parametrize("name", SETTINGS)
def test_a_saved_model_is_the_same_model(tiny_model, tmp_path, name):
    model = tiny_model(name).model
    loaded = load_translation_model(save(model, tmp_path / "m"), **SETTINGS[name])
    assert loaded.name == str(tmp_path / "m")
    assert loaded.tokenize_source(TEXT).ids == model.tokenize_source(TEXT).ids
    assert loaded.tokenize_target(TARGET) == model.tokenize_target(TARGET)
    assert not loaded.model.training
    assert {weight.dtype for weight in loaded.model.parameters()} == {torch.float32}
    with torch.no_grad():
        assert_close(scores(loaded).double(), scores(model), rtol=1e-3, atol=1e-3)  # float32 against float64


def test_an_architecture_that_does_not_translate(tiny_model, tmp_path):
    folder = save(tiny_model("bart").model, tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    for architecture in ("bert", "pegasus", "no-such-architecture"):
        (folder / "config.json").write_text(json.dumps(config | {"model_type": architecture}))
        refused(folder, architecture)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"])
def test_a_damaged_file(tiny_model, tmp_path, file):
    folder = save(tiny_model("bart").model, tmp_path / "m")
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[: len(data) // 2])
    refused(folder, "cannot load the model")


def test_missing_weights(tiny_model, tmp_path):
    folder = save(tiny_model("bart").model, tmp_path / "m")
    (folder / "model.safetensors").unlink()
    refused(folder, "cannot load the model")


def test_a_missing_weight(tiny_model, tmp_path):
    folder = save(tiny_model("bart").model, tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    del weights["model.decoder.layers.1.fc2.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    refused(folder, r"lacks weights, model\.decoder\.layers\.1\.fc2\.weight")


def test_pickles_are_not_read(tiny_model, tmp_path):
    trace = tmp_path / "trace"
    folder = save(tiny_model("bart").model, tmp_path / "m")
    (folder / "model.safetensors").unlink()
    for write in (
        lambda file: file.write_bytes(pickle.dumps(Malicious(trace))),
        lambda file: torch.save({"model.shared.weight": Malicious(trace)}, file),
    ):
        write(folder / "pytorch_model.bin")
        refused(folder, "cannot load the model")
        assert not trace.exists()


def test_code_beside_a_model_is_not_run(tiny_model, tmp_path):
    folder = save(tiny_model("bart").model, tmp_path / "m")
    (folder / "own.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\nclass Own: pass\nclass OwnConfig: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForSeq2SeqLM": "own.Own"}}
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, "cannot load the model")
    assert not (tmp_path / "trace").exists()


def test_a_name_that_nobody_has(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    refused("nobody/nothing-of-that-name", "cannot load the model 'nobody/nothing-of-that-name'")


def last_states(model):
    batch = model.pad([model.tokenize_source(TEXT)])
    embeddings = model.embed(batch.ids)
    return (
        model.classify(embeddings, batch.mask)
        if isinstance(model, Classifier)
        else model.encode(embeddings, batch.mask)
    )


@pytest.mark.parametrize("load", [load_encoder_model, load_model])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_saved_encoder_is_the_same_encoder(tiny_encoder, tmp_path, name, load):
    model = tiny_encoder(name)
    loaded = load(save(model, tmp_path / "m"), source_language="en")
    assert type(loaded) is type(model)
    assert (loaded.name, loaded.words_by) == (str(tmp_path / "m"), model.words_by)
    assert getattr(loaded, "labels", None) == getattr(model, "labels", None)
    assert loaded.tokenize_source(TEXT) == model.tokenize_source(TEXT)
    assert not loaded.model.training
    assert {weight.dtype for weight in loaded.model.parameters()} == {torch.float32}
    with torch.no_grad():
        assert_close(last_states(loaded).double(), last_states(model), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("load", [load_encoder_model, load_model])
@pytest.mark.parametrize("weight", ["bert.encoder.layer.1.output.dense.weight", "classifier.weight"])
def test_an_encoder_without_a_weight(tiny_encoder, tmp_path, weight, load):
    folder = save(tiny_encoder("bert-classifier"), tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    del weights[weight]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    refused(folder, rf"lacks weights, {weight} first", load)


def test_a_classifier_needs_its_pooler(tiny_encoder, tmp_path):
    folder = save(tiny_encoder("bert-classifier"), tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    del weights["bert.pooler.dense.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    refused(folder, r"lacks weights, bert\.pooler\.dense\.weight first", load_encoder_model)


def test_a_bare_encoder_needs_no_pooler(tiny_encoder, tmp_path):
    folder = save(tiny_encoder("bert"), tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    save_file({key: value for key, value in weights.items() if "pooler" not in key}, folder / "model.safetensors",
              {"format": "pt"})  # fmt: skip
    with torch.no_grad():
        assert_close(last_states(load_encoder_model(folder)).double(), last_states(tiny_encoder("bert")), rtol=1e-3,
                     atol=1e-3)  # fmt: skip


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"])
@pytest.mark.parametrize("load", [load_encoder_model, load_model])
def test_a_damaged_encoder(tiny_encoder, tmp_path, file, load):
    folder = save(tiny_encoder("bert-classifier"), tmp_path / "m")
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[: len(data) // 2])
    refused(folder, "cannot load the model", load)


def test_an_encoder_in_a_pickle_is_not_read(tiny_encoder, tmp_path):
    folder = save(tiny_encoder("bert"), tmp_path / "m")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Malicious(tmp_path / "trace")))
    refused(folder, "cannot load the model", load_encoder_model)
    assert not (tmp_path / "trace").exists()
