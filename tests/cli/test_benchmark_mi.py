"""`nmt-ib benchmark mi` as a user types it."""

import json
import re

import pytest

from nmt_ib.cli.benchmark_mi import MI_EXAMPLE
from nmt_ib.cli.main import main

QUICK = ("--estimators", "gaussian,ksg", "--tasks", "normal-1x1,dense-2x2", "--samples", "100", "--repetitions", "2")


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Types the command in an empty directory -> status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["benchmark", "mi", *arguments])
        return stopped.value.code, *capsys.readouterr()

    return run


def without_seconds(text):
    return [re.sub(r"\s+\d+\.\d\d$", "", line.strip()) for line in text.splitlines()]


def timeless(document):
    return [{**run, "seconds": 0} for run in json.loads(document)["runs"]]


def test_the_example_of_the_help_is_what_it_prints(run):
    command, *printed = MI_EXAMPLE.splitlines()[2:]
    status, output, errors = run(*command.split()[4:])
    assert (status, errors) == (0, "")
    assert without_seconds(output) == without_seconds("\n".join(printed))


def test_json_is_one_document(run):
    status, output, errors = run(*QUICK, "--seed", "3", "--json")
    assert (status, errors) == (0, "")
    found = json.loads(output)
    assert [(score["task"], score["estimator"]) for score in found["scores"]] == [
        (task, estimator) for task in ("normal-1x1", "dense-2x2") for estimator in ("gaussian", "ksg")
    ]
    assert {run["seed"] for run in found["runs"]} == {3, 4}
    assert found["samples"] == 100
    assert found["signature"]["settings"]["repetitions"] == 2
    assert {"exact_nats", "bias_nats", "spread_nats", "rmse_nats", "seconds", "notes"} <= found["scores"][0].keys()


def test_a_directory_holds_the_table_and_the_picture(run, tmp_path):
    status, output, _ = run(*QUICK, "--out", "run")
    assert status == 0
    assert "run/estimators.png\nrun/summary.json\n" in output
    assert {file.name for file in (tmp_path / "run").glob("[!.]*")} == {"run.json", "summary.json", "estimators.png"}
    kept = (tmp_path / "run" / "summary.json").read_text()
    assert run(*QUICK, "--out", "run", "--json")[1] == json.dumps(json.loads(kept), ensure_ascii=False) + "\n"
    status, _, errors = run(*QUICK, "--out", "run", "--seed", "1")
    assert status == 2
    assert "run holds another run: seed is 1 now and was 0" in errors


def test_a_killed_run_goes_on_and_gives_the_same(run, monkeypatch):
    from nmt_ib.studies.benchmarks import pair_estimators

    whole = run(*QUICK, "--json")[1]
    ksg = pair_estimators.PAIR_ESTIMATORS["ksg"]
    calls = []

    def killed(x, y, seed):
        calls.append(seed)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return ksg(x, y, seed)

    monkeypatch.setitem(pair_estimators.PAIR_ESTIMATORS, "ksg", killed)
    status, _, errors = run(*QUICK, "--out", "run")
    assert status == 130
    assert "rerun the same command to resume" in errors
    status, output, _ = run(*QUICK, "--out", "run", "--json")
    assert status == 0
    assert calls == [0, 1, 0, 1, 0, 1]  # the third estimator of four was written down, the fourth was not
    assert timeless(output) == timeless(whole)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--estimators", "magic"], "unknown estimator 'magic'; known: gaussian, ksg, ksg2, binning"),
        (
            ["--estimators", "ksg,sp"],
            "sp cannot be compared on pairs of continuous variables: it needs",
        ),
        (["--estimators", ","], "no estimator is named; known: gaussian"),
        (["--estimators", "ksg", "--tasks", "normal"], "unknown task 'normal'; known: all, normal-1x1"),
        (["--estimators", "ksg", "--tasks", ""], "no task is named; known: all"),
        (["--estimators", "ksg", "--samples", "5"], "--samples"),
        (["--estimators", "ksg", "--out", "file"], "file is a file: --out names a directory"),
        ([], "--estimators"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line(run, tmp_path, arguments, message):
    (tmp_path / "file").touch()
    status, printed, errors = run(*arguments)
    assert (status, printed) == (2, "")
    assert errors.startswith("nmt-ib: ")
    assert errors.count("\n") == 1
    assert message in errors
