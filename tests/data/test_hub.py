"""Columns of data sets: a directory in Hugging Face form, read by `datasets` itself."""

import json

import pytest

from nmt_ib.data.text import read_lines
from nmt_ib.errors import RequestError

ROWS = [{"translation": {"en": "a\nb", "pt": "x"}, "id": 1}, {"translation": {"en": "", "pt": "y"}, "id": 2}]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    data = tmp_path / "data"
    data.mkdir()
    (data / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return data


def test_a_nested_column(folder):
    assert list(read_lines(f"hf:{folder}::test:translation.en")) == ["a b", ""]
    assert list(read_lines(f"hf:{folder}::test:translation.pt")) == ["x", "y"]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("::test:nothing", "the columns are translation, id"),
        ("::test:id", "does not contain text"),
        ("::test:translation", "does not contain text"),
        ("::nosplit:id", "cannot be loaded"),
        (":test", "expected hf:NAME:CONFIG:SPLIT:COLUMN"),
    ],
)
def test_wrong_names(folder, rest, message):
    with pytest.raises(RequestError, match=message):
        list(read_lines(f"hf:{folder}{rest}"))
