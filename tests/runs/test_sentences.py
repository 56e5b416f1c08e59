"""`sentences.jsonl`: whole chunks, nothing lost, nothing repeated, read back line by line."""

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.results.diagnosis import SentenceDiagnosis
from nmt_ib.runs.sentences import StoredSentences, append, resume


def line(index: int) -> SentenceDiagnosis:
    return SentenceDiagnosis(index, f"é \u2028 {index}", "t", False, -1.5, ("t", "</s>"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sentences.jsonl"


def test_what_is_appended_is_read_back(path):
    append(path, [line(0), line(1)])
    append(path, [line(2)])
    found = StoredSentences(path, SentenceDiagnosis)
    assert list(found) == [line(0), line(1), line(2)]
    assert found == [line(0), line(1), line(2)]
    assert found != [line(0), line(1)]
    assert (len(found), found[1], found[-1]) == (3, line(1), line(2))
    assert found[1:] == (line(1), line(2))
    with pytest.raises(IndexError):
        found[3]


def test_a_run_without_lines_is_empty(path):
    assert list(StoredSentences(path, SentenceDiagnosis)) == []
    assert len(StoredSentences(path, SentenceDiagnosis)) == 0
    assert resume(path, chunk=3, total=10) == 0


@pytest.mark.parametrize(("total", "done"), [(7, 7), (10, 6), (100, 6)])
def test_resume_cuts_back_to_whole_chunks(path, total, done):
    append(path, [line(index) for index in range(7)])
    assert resume(path, chunk=3, total=total) == done
    assert list(StoredSentences(path, SentenceDiagnosis)) == [line(index) for index in range(done)]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_resume_drops_a_torn_line(path, cut):
    append(path, [line(index) for index in range(4)])
    path.write_bytes(path.read_bytes()[:-cut])
    assert resume(path, chunk=2, total=4) == 2


def test_a_full_disk_leaves_the_file_as_it_was(path, monkeypatch):
    append(path, [line(0)])

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        append(path, [line(1)])
    assert list(StoredSentences(path, SentenceDiagnosis)) == [line(0)]


@pytest.mark.parametrize("damaged", [b"{ no\n", b'{"index": 0}\n', b"[]\n", b"\xff\xfe\n", b"3\n"])
def test_a_damaged_line_is_named(path, damaged):
    path.write_bytes(damaged)
    with pytest.raises(RequestError, match=r"sentences\.jsonl is damaged"):
        list(StoredSentences(path, SentenceDiagnosis))
