"""Files that appear whole or not at all, and locks."""

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.files import cache_folder, locked, read_json, replacing, write_bytes, write_json


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "f"
    path.write_text("before")

    def half():
        with replacing(path) as file:
            file.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_json_and_bytes_are_read_back(tmp_path):
    write_json(tmp_path / "a.json", {"é": [1, None]})
    assert read_json(tmp_path / "a.json") == {"é": [1, None]}
    write_bytes(tmp_path / "b", b"\r\n\x00")
    assert (tmp_path / "b").read_bytes() == b"\r\n\x00"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("data", [b"{", b"\xff", b"", b"[" * 100_000])
def test_damaged_json_is_one_line(tmp_path, data):
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(RequestError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_missing_json_is_one_line(tmp_path):
    with pytest.raises(RequestError, match="cannot read"):
        read_json(tmp_path / "a.json")


def test_a_lock_is_held_once_and_released(tmp_path):
    with (
        locked(tmp_path, wait=False),
        pytest.raises(RequestError, match="another process"),
        locked(tmp_path, wait=False),
    ):
        pass
    with locked(tmp_path, wait=True):
        pass


def test_the_cache_is_where_the_system_keeps_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("vectors") == tmp_path / "nmt_ib" / "vectors"
