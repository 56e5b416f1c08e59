"""Text as users have it: any line that has no line feed in it survives."""

import gzip
import hashlib
import os
import subprocess
import sys
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sacrebleu.dataset import DATASETS
from sacrebleu.dataset.plain_text import PlainTextDataset

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


def test_a_mark_is_text_where_it_starts_no_file(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(gzip.compress("\ufeffone\n\ufefftwo\n".encode()))
    assert list(read_lines(path)) == ["one", "\ufefftwo"]


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "plain").touch()
    (tmp_path / "packed").write_bytes(gzip.compress(b""))
    assert [*read_lines(tmp_path / "plain"), *read_lines(tmp_path / "packed")] == []


PACKED = gzip.compress(b"a line of text\n" * 3 + bytes(range(128)))


@pytest.mark.parametrize(
    "data",
    [
        PACKED[:5],
        PACKED[:15],
        PACKED[:-4],
        PACKED[:-8] + bytes(8),  # checksum
        PACKED[:10] + b"\xff" * 20 + PACKED[30:],  # deflate stream
        PACKED + b"garbage",
    ],
    ids=["header cut", "text cut", "length cut", "wrong checksum", "wrong stream", "garbage"],
)
def test_a_damaged_gzip_file(tmp_path, data):
    path = tmp_path / "text.gz"
    path.write_bytes(data)
    with pytest.raises(RequestError, match="damaged gzip"):
        list(read_lines(path))


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_a_file_that_cannot_be_read(tmp_path, monkeypatch, error):
    def refuse(*_args, **_kwargs):
        raise error

    path = tmp_path / "text"
    path.touch()
    monkeypatch.setattr("nmt_ib.data.text.open", refuse, raising=False)  # a mode would not keep root out
    with pytest.raises(RequestError, match=f"cannot read .*text: {error.strerror}"):
        list(read_lines(path))


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RequestError, match="not a regular file"):
        list(read_lines(tmp_path / "pipe"))


def test_not_utf8_names_the_line(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"fine\nfine\nna\xefve\n")
    with pytest.raises(RequestError, match="line 3: not UTF-8"):
        list(read_lines(path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("builtin:sample-xx", "built in: builtin:sample-en"),
        ("sacrebleu:nothing/en-de", "has no test set 'nothing'; it has wmt24, .*`sacrebleu --list`"),
        ("sacrebleu:nothing", "has no test set ''"),
        ("sacrebleu:wmt20", "wmt20 has the pairs cs-en, .* expected sacrebleu:wmt20/PAIR"),
        ("sacrebleu:wmt21/B", "wmt21/B has the pairs"),
        ("sacrebleu:wmt20/en-xx", "wmt20 has the pairs"),
        ("nowhere", "there is no file nowhere"),
        (".", "is a directory"),
        ("a sentence, not a file " * 20, "cannot read a sentence.*name too long"),
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
        monkeypatch.setattr(DATASETS["wmt17"], name, str(path))
    return folder


def test_a_test_set_of_sacrebleu(wmt17):
    # Files as sacrebleu's downloader leaves them: it fetches nothing that is there already.
    for field, lines in {"src": "a\nb\n", "ref": "A\nB\n", "docid": "", "genre": "", "origlang": ""}.items():
        (wmt17 / f"wmt17.en-de.{field}").write_text(lines)
    assert list(read_lines("sacrebleu:wmt17/en-de")) == ["a", "b"]
    assert [list(read_lines(path)) for path in references("sacrebleu:wmt17/en-de")] == [["A", "B"]]


def test_other_texts_come_without_references():
    assert references("builtin:sample-en") == references("nowhere") == []


def test_a_download_that_fails_is_one_line(wmt17, monkeypatch):
    def offline(*_args, **_kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(RequestError, match=r"cannot be downloaded; check the network.*\(no network\)$"):
        list(read_lines("sacrebleu:wmt17/en-de"))


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Function that gives sacrebleu the set `tiny`, to be downloaded from an archive that it makes."""

    def publish(archive=None, checksum=None):
        path = tmp_path / "archive.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("tiny.en", "a\nb\n")
            file.writestr("tiny.pt", "A\nB\n")
        if archive is not None:
            path.write_bytes(archive)
        checksum = checksum or hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 - what sacrebleu knows
        pairs = {"en-pt": ["tiny.en", "tiny.pt"]}
        made = PlainTextDataset("tiny", data=[path.as_uri()], md5=[checksum], langpairs=pairs)
        made._outdir, made._rawdir = str(tmp_path / "tiny"), str(tmp_path / "tiny" / "raw")
        monkeypatch.setitem(DATASETS, "tiny", made)

    return publish


def test_a_test_set_is_downloaded(tiny, capsys):
    tiny()
    assert list(read_lines("sacrebleu:tiny/en-pt")) == ["a", "b"]
    assert [list(read_lines(path)) for path in references("sacrebleu:tiny/en-pt")] == [["A", "B"]]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("archive", "checksum", "reason"),
    [(None, "0" * 32, "MD5 sum of downloaded file was incorrect"), (b"no archive", None, "File is not a zip file")],
)
def test_a_download_that_breaks_is_one_line(tiny, capsys, archive, checksum, reason):
    tiny(archive, checksum)
    with pytest.raises(RequestError, match=rf"delete .*tiny if a download was interrupted.*\(.*{reason}") as caught:
        list(read_lines("sacrebleu:tiny/en-pt"))
    assert "\n" not in str(caught.value)
    assert capsys.readouterr() == ("", "")


def test_import_is_cheap():
    code = "import sys, nmt_ib.data.text; assert not {'sacrebleu', 'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
