"""The run directory: whole chunks, one writer, nothing lost, nothing repeated."""

import json

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.reports.jsonfile import RUN, SENTENCES, RunDirectory, replacing
from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, Share


def line(index: int) -> SentenceDiagnosis:
    return SentenceDiagnosis(index, f"é \u2028 {index}", "t", False, -1.5, ("t", "</s>"))


def test_what_is_appended_is_read_back(tmp_path):
    run = RunDirectory(tmp_path / "run")
    with run.locked():
        run.begin({"seed": 0}, {"kinds": {}})
        run.append([line(0), line(1)])
        run.append([line(2)])
    assert list(run.sentences()) == [line(0), line(1), line(2)]
    assert run.signature == {"seed": 0}
    assert run.reference == {"kinds": {}}


@pytest.mark.parametrize(("total", "done"), [(7, 7), (10, 6), (100, 6)])
def test_resume_cuts_back_to_whole_chunks(tmp_path, total, done):
    run = RunDirectory(tmp_path)
    run.append([line(index) for index in range(7)])
    assert run.resume(chunk=3, total=total) == done
    assert list(run.sentences()) == [line(index) for index in range(done)]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_resume_forgets_a_torn_line(tmp_path, cut):
    run = RunDirectory(tmp_path)
    run.append([line(index) for index in range(4)])
    file = tmp_path / SENTENCES
    file.write_bytes(file.read_bytes()[:-cut])
    assert run.resume(chunk=2, total=4) == 2


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    run = RunDirectory(tmp_path)
    run.append([line(0)])

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        run.append([line(1)])
    assert list(run.sentences()) == [line(0)]


def test_one_writer_at_a_time(tmp_path):
    run = RunDirectory(tmp_path / "run")
    with run.locked(), pytest.raises(RequestError, match="another process"), run.locked():
        pass


def test_a_run_killed_before_it_began_can_begin(tmp_path):
    (tmp_path / "reference.json").write_text("{}")
    (tmp_path / ".run.json.part").write_text("{")
    run = RunDirectory(tmp_path)
    run.check(None)
    assert run.reference is None


@pytest.mark.parametrize("name", [RUN, "summary.json", SENTENCES])
def test_a_damaged_file_is_named(tmp_path, name):
    (tmp_path / RUN).write_text("{}")
    (tmp_path / "summary.json").write_text("{}")
    (tmp_path / name).write_text("{ no\n")
    run = RunDirectory(tmp_path)
    with pytest.raises(RequestError, match=f"{name} is damaged"):
        _ = run.signature, list(run.sentences()), run.summary()


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RequestError, match="holds other files"):
        RunDirectory(tmp_path).check(None)
    with pytest.raises(RequestError, match="is a file"):
        RunDirectory(tmp_path / "thesis.tex").check(None)


def test_another_run_is_refused(tmp_path):
    with pytest.raises(RequestError, match="holds another run: seed is 1 now and was 0"):
        RunDirectory(tmp_path).check("seed is 1 now and was 0")


def test_only_a_finished_run_is_rendered(tmp_path):
    with pytest.raises(RequestError, match="holds no run"):
        RunDirectory.existing(tmp_path)
    (tmp_path / RUN).write_text("{}")
    with pytest.raises(RequestError, match="has not ended"):
        RunDirectory.existing(tmp_path)


def test_summary_both_ways(tmp_path):
    summary = DiagnosisSummary(3, 1, 9, 2, 1, 1, 1, 0.9, by_position=(Share("first fifth", 3, 1),), worst=(2, 0))
    run = RunDirectory(tmp_path)
    run.write_summary(summary)
    assert run.summary() == summary
    assert json.loads((tmp_path / "summary.json").read_text())["by_position"][0]["name"] == "first fifth"


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
