"""Parallel text: facts, numbers of lines, chunks."""

import pytest

from nmt_ib.data.parallel import read_chunks, scan_parallel, scan_text
from nmt_ib.errors import RequestError


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def test_facts(tmp_path):
    facts = scan_text(write(tmp_path / "a", ["é", "", "abc"]))
    assert (facts.lines, facts.characters) == (3, 4)
    assert facts.fingerprint == scan_text(write(tmp_path / "b", ["é", "", "abc"])).fingerprint


def test_an_empty_text_is_refused(tmp_path):
    with pytest.raises(RequestError, match="is empty"):
        scan_text(write(tmp_path / "a", []))


def test_lines_must_belong_together(tmp_path):
    names = {"sources": write(tmp_path / "a", "abc"), "targets": write(tmp_path / "b", "ab")}
    with pytest.raises(RequestError, match="has 3 lines and .* has 2: expected one for one"):
        scan_parallel(names)


@pytest.mark.parametrize("start", [0, 2, 4, 7])
def test_chunks_go_on_anywhere(tmp_path, start):
    left, right = [str(n) for n in range(7)], [str(-n) for n in range(7)]
    names = write(tmp_path / "a", left), write(tmp_path / "b", right)
    found = list(read_chunks(*names, start, 2))
    assert [line for lines, _ in found for line in lines] == left[start:]
    assert [line for _, lines in found for line in lines] == right[start:]
    assert all(lines is None for _, lines in read_chunks(names[0], None, start, 2))
