"""marian-nmt files: what a writer made from the format's description puts in, the reader takes out; damage is named."""

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.models.marian_binary import is_marian_binary, read_marian_binary
from nmt_ib.models.marian_weights import build_model
from tests.oracles.marian_file import CONFIG, FLOAT32, INTGEMM8, quantised, random_tensors, write, write_items

VOCABULARY, WIDTH = 30, 16


@pytest.fixture
def tensors():
    return random_tensors(CONFIG, VOCABULARY, WIDTH)


@pytest.fixture
def whole(tmp_path, tensors):
    return write(tmp_path / "model.bin", CONFIG, tensors, int8=True)


def changed(path, offset, value):
    data = bytearray(path.read_bytes())
    data[offset : offset + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("int8", [False, True])
def test_round_trip(tmp_path, tensors, int8):
    binary = read_marian_binary(write(tmp_path / "model.bin", CONFIG, tensors, int8=int8))
    expected = quantised(tensors) if int8 else tensors
    assert binary.config == CONFIG
    assert {name for name in binary.tensors if "QuantMultA" not in name} == set(expected)
    for name, value in expected.items():
        assert binary.tensors[name].dtype == torch.float32
        assert np.array_equal(binary.tensors[name].numpy(), value), name


def test_int8_matrices_lie_transposed_and_embeddings_do_not(tmp_path):
    steps = np.arange(6, dtype=np.int8).reshape(2, 3)
    multiplier = np.float32(2).tobytes()
    items = [
        ("encoder_l1_self_Wq", INTGEMM8, (2, 3), steps.T.tobytes() + multiplier),
        ("Wemb", INTGEMM8, (2, 3), steps.tobytes() + multiplier),
        ("special:model.yml", 0x101, (8,), b"dim: 3\n\0"),
    ]
    binary = read_marian_binary(write_items(tmp_path / "model.bin", items))
    assert binary.tensors["encoder_l1_self_Wq"].tolist() == [[0, 0.5, 1], [1.5, 2, 2.5]]
    assert binary.tensors["Wemb"].tolist() == [[0, 0.5, 1], [1.5, 2, 2.5]]
    assert binary.config == {"dim": 3}


def test_a_cut_file_is_named(whole):
    data = whole.read_bytes()
    middle = list(range(0, len(data) - 1, len(data) // 60))
    for length in (*range(0, 100, 7), *middle, len(data) - 1):
        whole.write_bytes(data[:length])
        with pytest.raises(RequestError, match="copy it again"):
            read_marian_binary(whole)


@pytest.mark.parametrize("seed", range(30))
def test_garbage_is_named(whole, seed):
    draws = np.random.default_rng(seed)
    data = bytearray(whole.read_bytes())
    for place in draws.integers(0, 12_000, 20):  # headers, names, shapes
        data[place] = draws.integers(256)
    whole.write_bytes(data)
    try:
        build_model(read_marian_binary(whole))
    except RequestError:
        pass
    whole.write_bytes(draws.bytes(5_000))
    assert not is_marian_binary(whole)
    with pytest.raises(RequestError, match=str(whole)):
        read_marian_binary(whole)


def test_another_version_is_named(whole):
    with pytest.raises(RequestError, match="version 2"):
        read_marian_binary(changed(whole, 0, b"\2"))
    assert not is_marian_binary(whole)


def test_an_unknown_type_is_named(tmp_path, tensors):
    path = write(tmp_path / "model.bin", CONFIG, tensors)
    with pytest.raises(RequestError, match="item Wemb has type 0x402"):
        read_marian_binary(changed(path, 16 + 8, b"\2"))


def test_a_multiplier_of_zero_is_named(tmp_path):
    items = [("W", INTGEMM8, (1, 1), b"\1" + bytes(4)), ("special:model.yml", 0x101, (8,), b"dim: 3\n\0")]
    with pytest.raises(RequestError, match="item W"):
        read_marian_binary(write_items(tmp_path / "model.bin", items))


def test_a_missing_configuration_is_named(tmp_path, tensors):
    path = write(tmp_path / "model.bin", None, tensors)
    assert not is_marian_binary(path)
    with pytest.raises(RequestError, match=r"no item special:model\.yml"):
        read_marian_binary(path)


@pytest.mark.parametrize("text", [b"- a\n- list\n\0", b"{\0", b"\xff\xfe\0"])
def test_a_configuration_that_is_none_is_named(tmp_path, text):
    items = [("W", FLOAT32, (1,), bytes(4)), ("special:model.yml", 0x101, (len(text),), text)]
    with pytest.raises(RequestError, match="copy it again"):
        read_marian_binary(write_items(tmp_path / "model.bin", items))


def test_the_configuration_never_runs_code(tmp_path):
    text = b"!!python/object/apply:os.mkdir ['" + str(tmp_path / "made").encode() + b"']\0"
    items = [("W", FLOAT32, (1,), bytes(4)), ("special:model.yml", 0x101, (len(text),), text)]
    with pytest.raises(RequestError):
        read_marian_binary(write_items(tmp_path / "model.bin", items))
    assert not (tmp_path / "made").exists()
