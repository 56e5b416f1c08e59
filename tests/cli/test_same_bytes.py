"""A command and the Python function of the same name leave the same run directory, byte for byte."""

from pathlib import Path

import pytest

import nmt_ib
from nmt_ib.cli.main import main

TEXT = ["a b c d e f", "", "b a d c", "e e f a"] * 3
JOINT = "0.36,0.03,0.01\n0.04,0.22,0.04\n0.02,0.03,0.25\n"


def typed(*arguments: object) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    assert exit_.value.code == 0


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("news.en").write_text("\n".join(TEXT) + "\n", encoding="utf-8")
    Path("joint.csv").write_text(JOINT, encoding="utf-8")
    return Path("typed"), Path("called")


def assert_same(by_command: Path, by_python: Path, *names: str) -> None:
    assert contents(by_command) == contents(by_python)
    assert {"run.json", "summary.json", *names} <= contents(by_command).keys()


def test_diagnose(folders, saved):
    by_command, by_python = folders
    model = saved("marian")
    typed("diagnose", "news.en", "--model", model, "--matrix", "--seed", 3, "--out", by_command)
    found = nmt_ib.diagnose(model, "news.en", matrix=True, seed=3, out=by_python)
    assert_same(*folders, "report.html", "sentences.jsonl", "contributions.png")
    assert found == nmt_ib.load_run(by_command)
    assert nmt_ib.diagnose(nmt_ib.load_translation_model(model), TEXT, matrix=True, seed=3) == found


def test_retain(folders, saved):
    by_command, by_python = folders
    model, other = saved("marian"), saved("bert")
    typed("retain", "news.en", "--model", model, "--compare", other, "--repetitions", 1, "--out", by_command)
    found = nmt_ib.retain(model, Path("news.en"), compare=[other], repetitions=1, out=by_python)
    assert_same(*folders, "report.html", "sentences.jsonl", "compared/1/sentences.jsonl")
    assert found == nmt_ib.load_run(by_command)


def test_plane_of_networks(folders):
    by_command, by_python = folders
    typed("plane", "--seeds", 2, "--epochs", 2, "--measurements", 2, "--estimators", "binning", "--out", by_command)
    found = nmt_ib.plane("szt", seeds=2, epochs=2, measurements=2, estimators=["binning"], out=by_python)
    assert_same(*folders, "plane.png")
    assert found == nmt_ib.load_run(by_command)


def test_plane_of_a_model(folders, saved):
    by_command, by_python = folders
    model = saved("marian")
    typed("plane", "--model", model, "--data", "news.en", "--clusters", 2, "--out", by_command)
    found = nmt_ib.plane(model, "news.en", clusters=2, out=by_python)
    assert_same(*folders)
    assert found == nmt_ib.load_run(by_command)


def test_curve(folders):
    by_command, by_python = folders
    typed("curve", "joint.csv", "--points", 9, "--out", by_command)
    found = nmt_ib.ib_curve("joint.csv", points=9, out=by_python)
    assert_same(*folders, "curve.png")
    assert found == nmt_ib.load_run(by_command)


@pytest.mark.parametrize("tags", ["continuous", "discrete"])
def test_compress(folders, saved, treebanks, tags):
    by_command, by_python = folders
    options = ("--dim", 4, "--epochs", 2, "--layer", "mix", "--beta", "0.01,1", "--gamma", 0.1, "--tags", tags)
    files = ("train.conllu", "--dev", "dev.conllu", "--embedder", saved("bert"))
    typed("compress", *files, *options, "--out", by_command)
    found = nmt_ib.compress(
        "train.conllu", Path("dev.conllu"), embedder=saved("bert"), dim=4, epochs=2, layer="mix", beta=[0.01, 1],
        gamma=0.1, tags=tags, out=by_python,
    )  # fmt: skip
    assert_same(*folders, "sweep.png", "beta-1/config.json", "beta-0.01/model.safetensors")
    assert found == nmt_ib.load_run(by_command)


def test_benchmarks(folders, saved):
    by_command, by_python = folders
    typed("benchmark", "mi", "--estimators", "gaussian", "--tasks", "normal-1x1", "--samples", 50, "--out", by_command)
    found = nmt_ib.benchmark.mi(["gaussian"], ["normal-1x1"], samples=50, out=by_python)
    assert contents(by_command).keys() == contents(by_python).keys()  # seconds differ
    assert [run.nats for run in found.runs] == [run.nats for run in nmt_ib.load_run(by_command).runs]
