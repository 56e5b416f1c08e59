"""Text as users have it: any line that has no line feed in it survives."""

import gzip
import os

import pytest
import sacrebleu.dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmt_ib.data.text import read_lines, references
from nmt_ib.errors import RequestError

LINES = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, packed=st.booleans())
def test_lines_survive(tmp_path, lines, packed):
    lines = [line.removesuffix("\r") for line in lines]
    lines[:1] = [line.removeprefix("\ufeff") for line in lines[:1]]
    data = "".join(f"{line}\n" for line in lines).encode()
    path = tmp_path / "text"
    path.write_bytes(gzip.compress(data) if packed or data[:2] == b"\x1f\x8b" else data)
    assert list(read_lines(path)) == lines


def test_a_mark_and_carriage_returns_are_no_text(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("\ufeffone\r\ntwo\u2028half\r\n\r\nlast".encode())
    assert list(read_lines(path)) == ["one", "two\u2028half", "", "last"]


@pytest.mark.parametrize("name", ["builtin:sample-en", "builtin:sample-pt"])
def test_the_sample_is_varied(name):
    lines = list(read_lines(name))
    assert len(lines) == len(set(lines)) == 60
    assert all(6 <= len(line.split()) <= 40 for line in lines)


@pytest.mark.parametrize("cut", [15, 40])
def test_a_damaged_gzip_file(tmp_path, cut):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(os.urandom(200).hex().encode())[:cut])
    with pytest.raises(RequestError, match="damaged gzip"):
        list(read_lines(path))


def test_not_utf8_names_the_line(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"fine\nfine\nna\xefve\n")
    with pytest.raises(RequestError, match="line 3: not UTF-8"):
        list(read_lines(path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("builtin:sample-xx", "built in: builtin:sample-en"),
        ("sacrebleu:nothing/en-de", "has no test set 'nothing'"),
        ("sacrebleu:wmt20/en-xx", "wmt20 has the pairs"),
        ("nowhere", "there is no file nowhere"),
        (".", "is a directory"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(RequestError, match=message):
        list(read_lines(name))


@pytest.fixture
def wmt17(tmp_path, monkeypatch):
    """sacrebleu's folder of one test set, empty."""
    folder = tmp_path / "wmt17"
    folder.mkdir()
    for name, path in (("_outdir", folder), ("_rawdir", folder / "raw")):
        monkeypatch.setattr(sacrebleu.dataset.DATASETS["wmt17"], name, str(path))
    return folder


def test_a_test_set_of_sacrebleu(wmt17):
    # Files as sacrebleu's downloader leaves them: it fetches nothing that is there already.
    for field, lines in {"src": "a\nb\n", "ref": "A\nB\n", "docid": "", "genre": "", "origlang": ""}.items():
        (wmt17 / f"wmt17.en-de.{field}").write_text(lines)
    assert list(read_lines("sacrebleu:wmt17/en-de")) == ["a", "b"]
    assert [list(read_lines(path)) for path in references("sacrebleu:wmt17/en-de")] == [["A", "B"]]


def test_a_download_that_fails_is_one_line(wmt17, monkeypatch):
    def offline(*_args, **_kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(RequestError, match="cannot be downloaded; check the network"):
        list(read_lines("sacrebleu:wmt17/en-de"))
