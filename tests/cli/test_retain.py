"""`nmt-ib retain` as a user types it, on tiny models in directories."""

import json

import pytest
import torch

from nmt_ib.cli.main import main
from nmt_ib.cli.retain import show
from nmt_ib.results.retention import LayerRetention, Retention, RetentionSummary

LINES = [
    "A small dog sleeps near the red door.",
    "",
    "The house is <b>old</b> & red.",
    *["The old dog sleeps."] * 9,
    "no",
]
NAMES = [f"encoder {layer}" for layer in (1, 2, 3)]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "news.en"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


def run(capsys, *arguments) -> tuple[int, str, str]:
    capsys.readouterr()  # transformers' own words when a model was saved
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


@pytest.fixture
def retain(capsys, saved, text):
    def run_(*arguments, model="bert-classifier", source=text):
        return run(capsys, "retain", source, "--model", saved(model), "--repetitions", 1, *arguments)

    return run_


def test_a_run_directory_holds_what_the_design_says(retain, tmp_path, saved):
    out = tmp_path / "run"
    status, printed, errors = retain("--out", out)
    assert (status, errors) == (0, "")
    assert f"Report: {out / 'report.html'}" in printed
    assert "encoder 3" in printed
    names = {file.name for file in out.glob("[!.]*")}
    assert names == {"run.json", "sentences.jsonl", "summary.json", "report.html", "retention.png", "heat_map.png"}
    lines = [json.loads(line) for line in (out / "sentences.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["source"] for line in lines] == LINES
    assert list(lines[0]) == ["index", "source", "translation", "words", "skipped"]
    assert list(lines[0]["words"][0]) == [
        "text", "start", "end", "word_class", "frequency", "pos", "bits", "noise_bits",
    ]  # fmt: skip
    assert (lines[1]["words"], lines[1]["skipped"]) == ([], "empty line")
    summary = json.loads((out / "summary.json").read_text())
    assert [layer["name"] for layer in summary["layers"]] == NAMES
    signature = json.loads((out / "run.json").read_text())
    assert (signature["command"], signature["model"]) == ("retain", saved("bert-classifier"))
    assert "<b>old" not in (out / "report.html").read_text(encoding="utf-8")


def test_a_translation_model_has_decoder_layers_and_can_be_forced(retain, tmp_path):
    target = tmp_path / "news.pt"
    target.write_text("".join(f"A casa {number}.\n" for number in range(len(LINES))), encoding="utf-8")
    status, printed, errors = retain("--json", "--max-sentences", 3, "--target", target, model="marian")
    assert (status, errors) == (0, "")
    found = json.loads(printed)
    assert [layer["name"] for layer in found["summary"]["layers"]] == [*NAMES, "decoder 1", "decoder 2"]
    assert [line["translation"] for line in found["sentences"]] == ["A casa 0.", "", "A casa 2."]
    assert found["signature"]["data"].keys() == {"sources", "targets"}


def test_one_repetition_has_no_noise_and_one_sentence_no_interval(retain):
    _, printed, _ = retain("--max-sentences", 3, model="marian")
    row = next(line.split() for line in printed.splitlines() if "encoder 2" in line)
    assert "-" in row[3]  # the interval
    assert row[4] == "-"
    _, printed, _ = retain("--max-sentences", 1, "--repetitions", 2, model="marian")
    row = next(line.split() for line in printed.splitlines() if "encoder 2" in line)
    assert row[3] == "-"
    assert row[4].isdecimal()
    assert "bits a word relative to the last encoder layer [-]" in printed


def test_there_is_no_minus_zero(capsys):
    layer = LayerRetention("decoder 1", 9.0, (8.0, 9.0), 1.0, 1.0, 0.0, 0.0, {}, {}, {}, (-0.4, -21.0, -0.1))
    show(Retention((), RetentionSummary("m", 2, 0, 9, (layer,))))
    assert "decoder 1: +0 bits a word relative to the last encoder layer [-21, +0]" in capsys.readouterr().out


def test_json_is_one_document_and_nothing_else(retain, saved):
    status, printed, errors = retain("--json", "--max-sentences", 3, "--compare", saved("distilbert-classifier"))
    assert (status, errors) == (0, "")
    found = json.loads(printed)
    assert [line["source"] for line in found["sentences"]] == LINES[:3]
    assert (found["summary"]["sentences"], found["summary"]["skipped"]) == (3, 1)
    assert list(found["compared"]) == [saved("distilbert-classifier")]
    assert len(found["compared"][saved("distilbert-classifier")]["layers"]) == 3


def test_other_models_of_the_same_sentences(retain, saved, tmp_path):
    out, other = tmp_path / "run", saved("distilbert-classifier")
    status, printed, _ = retain("--out", out, "--max-sentences", 3, "--compare", other)
    assert status == 0
    assert printed.count("encoder 3") == 2
    assert printed.count("3 lines, 1 skipped") == 1
    inside = out / "compared" / "1"
    assert json.loads((inside / "run.json").read_text())["model"] == other
    alone = tmp_path / "alone"
    retain("--out", alone, "--max-sentences", 3, model="distilbert-classifier")
    assert (alone / "sentences.jsonl").read_bytes() == (inside / "sentences.jsonl").read_bytes()
    assert (alone / "summary.json").read_bytes() == (inside / "summary.json").read_bytes()


def test_batch_size_changes_nothing(retain):
    documents = [json.loads(retain("--json", "--batch-size", size)[1]) for size in (1, 32)]
    for one, other in zip(*(document["sentences"] for document in documents), strict=True):
        for mine, theirs in zip(one["words"], other["words"], strict=True):
            assert mine["bits"] == pytest.approx(theirs["bits"], rel=1e-3, abs=1e-2)
    assert documents[0]["signature"] == documents[1]["signature"]


def test_a_killed_run_goes_on_and_ends_the_same(retain, tmp_path, monkeypatch):
    out = tmp_path / "run"
    retain("--out", out)
    path, measured = out / "sentences.jsonl", []
    whole, summary = path.read_bytes(), (out / "summary.json").read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    from nmt_ib.studies.retention.study import RetentionStudy

    chunk = RetentionStudy.chunk
    monkeypatch.setattr(
        RetentionStudy, "chunk", lambda self, start, *rest: measured.append(start) or chunk(self, start, *rest)
    )
    for cut, expected in [(ends[11] + 40, [10]), (ends[3] + 7, [0, 10]), (len(whole), [])]:
        path.write_bytes(whole[:cut])
        (out / "summary.json").unlink()
        (out / "report.html").unlink()
        measured.clear()
        assert retain("--out", out)[0] == 0
        assert measured == expected
        assert path.read_bytes() == whole
        assert (out / "summary.json").read_bytes() == summary
        assert (out / "report.html").exists()


def test_another_number_of_threads_may_go_on(retain, tmp_path):
    out, before = tmp_path / "run", torch.get_num_threads()
    retain("--out", out, "--max-sentences", 2)
    try:
        assert retain("--out", out, "--max-sentences", 2, "--threads", 2)[0] == 0
    finally:
        torch.set_num_threads(before)


def test_a_run_with_other_settings_is_refused(retain, tmp_path):
    out = tmp_path / "run"
    retain("--out", out, "--max-sentences", 2)
    before = {file: file.read_bytes() for file in out.iterdir()}
    for changed, message in [(("--rate", 0.2), "settings.rate is 0.2 now and was 0.1"), (("--seed", 1), "seed is 1")]:
        status, printed, errors = retain("--out", out, "--max-sentences", 2, *changed)
        assert (status, printed) == (2, "")
        assert message in errors
    assert {file: file.read_bytes() for file in out.iterdir()} == before


def test_labelled_sentences(retain, tmp_path):
    file = tmp_path / "dev.tsv"
    file.write_text("sentence\tlabel\nThe house is old .\t1\nno\t0\n", encoding="utf-8")
    status, printed, errors = retain("--json", source=file)
    assert (status, errors) == (0, "")
    assert [line["source"] for line in json.loads(printed)["sentences"]] == ["The house is old .", "no"]


def test_render_makes_the_report_again(retain, tmp_path, capsys):
    out = tmp_path / "run"
    retain("--out", out, "--max-sentences", 3)
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    status, printed, _ = run(capsys, "render", out)
    assert (status, printed.split()) == (
        0,
        [str(out / name) for name in ("report.html", "retention.png", "heat_map.png")],
    )
    assert (out / "report.html").read_bytes() == before


def test_a_text_of_empty_lines_has_a_report(retain, tmp_path):
    file, out = tmp_path / "blank", tmp_path / "run"
    file.write_text("\n\n", encoding="utf-8")
    status, printed, errors = retain("--out", out, source=file)
    assert (status, errors) == (0, "")
    assert "0 words in 2 lines, 2 skipped" in printed
    assert (out / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.en"], "there is no file nowhere.en"),
        (["empty"], "empty is empty"),
        (["empty.tsv"], "empty.tsv"),
        (["text", "--target", "short"], "expected the same number"),
        (["text", "--target", "text"], "not a translation model: it reads no targets"),
        (["text", "--model", "builtin:xx"], "built in: builtin:en-pt"),
        (["text", "--model", "./nothing"], "there is no directory ./nothing"),
        (["text", "--compare", "./nothing"], "there is no directory ./nothing"),
        (["text", "--model", "a", "--compare", "a"], "a model is named twice: a, a"),
        (["text", "--rate", "0"], "rate is the weight of the noise's entropy: a number above 0"),
        (["text", "--rate", "nan"], "rate is the weight of the noise's entropy: a number above 0"),
        (["text", "--repetitions", "0"], "--repetitions"),
        (["text", "--max-sentences", "0"], "--max-sentences"),
        (["text", "--device", "toaster"], "cannot use the device 'toaster'"),
        (["text", "--out", "folder"], "holds other files"),
        (["text", "--nonsense"], "--nonsense"),
        ([], "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line(arguments, message, tmp_path, capsys, monkeypatch, saved):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    (tmp_path / "empty.tsv").touch()
    (tmp_path / "short").write_text("a\n")
    (tmp_path / "text").write_text("a b c.\nd e f.\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    extra = [] if "--model" in arguments else ["--model", saved("bert-classifier")]
    extra += [] if "--out" in arguments else ["--out", "run"]
    status, printed, errors = run(capsys, "retain", *arguments, *extra)
    assert (status, printed) == (2, "")
    assert errors.startswith("nmt-ib: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert sorted(tmp_path.rglob("*")) == before


def test_help_is_there(capsys):
    status, printed, _ = run(capsys, "retain", "--help")
    assert status == 0
    assert "Usage: nmt-ib retain" in printed
    assert "Example:" in printed
