"""marian-nmt directories against an independent decoder; damaged ones are refused in one line."""

import pickle
import shutil

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.models.loading import (
    load_translation_model,
)
from tests.oracles import marian_file, marian_student
from tests.saved_models import TARGET, TEXT, Malicious, refused, scores
from tests.tiny_models import student_folder


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
    refused(tmp_path, "truncated")
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


def test_a_pickle_beside_a_vocabulary_is_not_read(tmp_path):
    student_folder(tmp_path)
    (tmp_path / "model.bin").write_bytes(pickle.dumps(Malicious(tmp_path / "trace")))
    refused(tmp_path, "found 0 and 1")
    assert not (tmp_path / "trace").exists()
