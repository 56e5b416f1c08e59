"""A finished run as the result of its study, and saved results as runs."""

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.results.benchmark import Benchmark, BenchmarkRow
from nmt_ib.results.diagnosis import Diagnosis, DiagnosisSummary, SentenceDiagnosis
from nmt_ib.results.retention import Retention, RetentionSummary, SentenceRetention
from nmt_ib.runs.directory import open_run
from nmt_ib.runs.loading import load_run, render
from nmt_ib.signature import RunSignature


def signature(command: str, model: str = "m") -> RunSignature:
    return RunSignature(command, model, "f", {}, {"reference_text": "news"}, 0)


def retention(model: str, compared=()) -> Retention:
    lines = (SentenceRetention(0, "a b", "c"), SentenceRetention(1, "", skipped="empty line"))
    return Retention(lines, RetentionSummary(model, 2, 1, 0, ()), signature("retain", model).to_dict(), compared)


RESULTS = {
    "sentences": Diagnosis(
        (SentenceDiagnosis(0, "s", "t", False),),
        DiagnosisSummary(1, 0, 0, 0, 0, 0, 0, 1.0),
        signature("diagnose").to_dict(),
    ),
    "compared": retention("m", (retention("n"), retention("o"))),
    "one document": Benchmark(
        (BenchmarkRow("gradient", "degradation", "mask", 0.5, 0.4, float("inf"), 3, 0.1),),
        2,
        3,
        signature("benchmark attribution").to_dict(),
    ),
}


@pytest.mark.parametrize("name", [name for name in RESULTS if name != "one document"])
def test_a_saved_result_is_loaded_as_it_was(name, tmp_path):
    result = RESULTS[name]
    assert result.save(tmp_path / "run") == tmp_path / "run"
    found = load_run(tmp_path / "run")
    assert found == result
    assert type(result).from_dict(found.to_dict()) == result


def test_an_undefined_figure_is_null_in_json(tmp_path):
    result = RESULTS["one document"]
    result.save(tmp_path / "run")
    assert '"high": null' in (tmp_path / "run" / "summary.json").read_text()
    assert load_run(tmp_path / "run").rows[0].value == 0.5


def test_saving_twice_changes_nothing(tmp_path):
    RESULTS["sentences"].save(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    RESULTS["sentences"].save(tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_render_writes_the_report_again(tmp_path):
    RESULTS["sentences"].save(tmp_path)
    report = (tmp_path / "report.html").read_bytes()
    (tmp_path / "report.html").unlink()
    assert tmp_path / "report.html" in render(tmp_path)
    assert (tmp_path / "report.html").read_bytes() == report


def test_only_a_finished_run_is_loaded(tmp_path):
    with pytest.raises(RequestError, match="holds no run"):
        load_run(tmp_path)
    with open_run(tmp_path, signature("diagnose")):
        pass
    with pytest.raises(RequestError, match="rerun its command to resume"):
        load_run(tmp_path)


def test_an_unknown_command_is_named(tmp_path):
    with open_run(tmp_path, signature("divine")):
        pass
    with pytest.raises(RequestError, match="unknown command 'divine'"):
        load_run(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"sentences": "many"}', "\x00"])
def test_a_damaged_summary_is_named(tmp_path, text):
    RESULTS["sentences"].save(tmp_path)
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(RequestError, match=r"summary\.json is damaged"):
        load_run(tmp_path)
