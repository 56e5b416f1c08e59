"""The run directory: new, resumed or refused; one writer; errors of the disk in words."""

import gc
import os

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.results.benchmark import Benchmark
from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, Share
from nmt_ib.runs.directory import RUN, Run, open_run, read_document
from nmt_ib.signature import RunSignature


def signature(**changes) -> RunSignature:
    return RunSignature(**{
        "command": "diagnose", "model": "m", "model_fingerprint": "f", "data": {}, "settings": {"beams": 1}, "seed": 0,
        **changes,
    })  # fmt: skip


def test_a_new_run_has_its_documents_and_its_signature(tmp_path):
    with open_run(tmp_path / "run", signature(), {"reference.json": {"kinds": {}}}) as run:
        assert run.command == "diagnose"
        assert not run.finished
        run.finish(DiagnosisSummary(1, 0, 1, 0, 0, 0, 0, 1.0))
        assert run.finished
    names = sorted(file.name for file in (tmp_path / "run").glob("[!.]*"))
    assert names == ["reference.json", "run.json", "summary.json"]
    assert Run(tmp_path / "run").signature == signature().to_dict()


def test_a_run_is_resumed_with_the_same_signature_alone(tmp_path):
    with open_run(tmp_path, signature(), {"reference.json": {"first": True}}):
        pass
    with open_run(tmp_path, signature(), {"reference.json": {"first": False}}) as run:
        assert read_text(run.path / "reference.json") == '{\n  "first": true\n}\n'
    with (
        pytest.raises(RequestError, match=r"settings\.beams is 2 now and was 1"),
        open_run(tmp_path, signature(settings={"beams": 2})),
    ):
        pass
    with (
        pytest.raises(RequestError, match="holds a run of diagnose, not of retain"),
        open_run(tmp_path, signature(command="retain")),
    ):
        pass


def read_text(path) -> str:
    return path.read_text(encoding="utf-8")


def test_one_writer_at_a_time(tmp_path):
    with (
        open_run(tmp_path, signature()),
        pytest.raises(RequestError, match="another process"),
        open_run(tmp_path, signature()),
    ):
        pass


def test_what_a_run_left_that_was_killed_before_it_began_is_no_obstacle(tmp_path):
    (tmp_path / "reference.json").write_text("{}")
    (tmp_path / ".run.json.part").write_text("{")
    (tmp_path / ".lock").touch()
    Run(tmp_path).check(signature())


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RequestError, match="holds other files"):
        Run(tmp_path).check()
    with pytest.raises(RequestError, match="is a file"):
        Run(tmp_path / "thesis.tex").check()


@pytest.mark.parametrize("text", ["[]", "3", "null", "{ no", '"x"'])
def test_a_damaged_signature_is_named(tmp_path, text):
    (tmp_path / RUN).write_text(text)
    with pytest.raises(RequestError, match=r"run\.json is damaged"):
        Run(tmp_path).check()


def test_a_temporary_run_lives_as_long_as_its_sentences():
    with open_run(None, signature()) as run:
        run.append([SentenceDiagnosis(0, "s", "t", False)])
        sentences, path = run.sentences(SentenceDiagnosis), run.path
    del run
    gc.collect()
    assert list(sentences) == [SentenceDiagnosis(0, "s", "t", False)]
    del sentences
    gc.collect()
    assert not path.exists()


def test_a_draft_is_there_until_the_run_is_finished(tmp_path):
    with open_run(tmp_path, signature()) as run:
        assert run.draft(Benchmark) is None
        table = Benchmark((), 3, 4)
        run.write_draft(table)
        assert run.draft(Benchmark) == table
        run.finish(table)
        assert run.draft(Benchmark) is None
    assert read_document(tmp_path / "summary.json", Benchmark) == table


def test_a_summary_survives_the_json_round_trip(tmp_path):
    summary = DiagnosisSummary(3, 1, 9, 2, 1, 1, 1, 0.9, by_position=(Share("first fifth", 3, 1),), worst=(2, 0))
    with open_run(tmp_path, signature()) as run:
        run.finish(summary)
    assert read_document(tmp_path / "summary.json", DiagnosisSummary) == summary


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RequestError, match="cannot write to"), open_run(tmp_path / "run", signature()):
        pass


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(RequestError, match="rerun the command to resume"), open_run(tmp_path / "run", signature()):
        raise OSError(28, "No space left on device")
