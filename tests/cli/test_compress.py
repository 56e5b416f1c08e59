"""`nmt-ib compress` as a user types it, on a tiny encoder and treebank."""

import gzip
import json

import pytest

from nmt_ib.cli.main import main
from nmt_ib.compression import training
from tests.cli.parsing_commands import QUICK, refused
from tests.tiny_treebank import SENTENCES, conllu, write_treebank


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_one_beta_gives_one_parser(compress, run, treebanks):
    sweep = compress("--beta", 0.01)
    (point,) = sweep["points"]
    assert (point["beta"], point["directory"], point["epochs"]) == (0.01, ".", 2)
    assert 0 <= point["las"] <= point["uas"] <= 1
    assert point["bits_per_token"] >= 0
    assert sweep["signature"]["settings"]["layers"] == [2]
    assert set(contents(treebanks / "model")) == {
        ".lock", "checkpoint.safetensors", "config.json", "model.safetensors", "run.json", "summary.json"
    }  # fmt: skip
    assert json.loads((treebanks / "model" / "summary.json").read_text()) == sweep
    status, printed, errors = run(
        "compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--beta", 0.01, "--out", "model"
    )
    assert (status, errors) == (0, "")
    for shown in ("Best epoch on the development set", f"{point['uas']:.1%}", f"{point['las']:.1%}", "model"):
        assert shown in printed


def test_a_sweep_has_a_curve_and_goes_on_where_it_was(compress, treebanks, monkeypatch):
    sweep = compress("--beta", "0.01,1")
    assert [point["beta"] for point in sweep["points"]] == [0.01, 1]
    for point in sweep["points"]:
        assert (treebanks / "model" / point["directory"] / "config.json").is_file()
    assert (treebanks / "model" / "sweep.png").read_bytes().startswith(b"\x89PNG")
    before = contents(treebanks / "model")
    monkeypatch.setattr(training, "train_parser_epoch", None)  # the same command again trains nothing
    assert compress("--beta", "0.01,1") == sweep
    assert contents(treebanks / "model") == before
    monkeypatch.undo()


@pytest.mark.parametrize("tags", ["continuous", "discrete"])
def test_the_same_command_writes_the_same_bytes(compress, treebanks, tags):
    first, second = (compress("--beta", "0.01,1", "--tags", tags, "--gamma", 0.1, out=out) for out in ("a", "b"))
    assert first == second
    assert contents(treebanks / "a") == contents(treebanks / "b")


@pytest.mark.parametrize("evaluations", [0, 1, 2, 3])
def test_an_interrupted_sweep_writes_the_same_bytes(compress, run, treebanks, monkeypatch, evaluations):
    """Killed in the first or second epoch of the first or second parser."""
    evaluate, calls = training.evaluate, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) > evaluations:
            raise RuntimeError("out of memory")
        return evaluate(*arguments)

    compress("--beta", "0.01,1", out="whole")
    with monkeypatch.context() as patch:
        patch.setattr("nmt_ib.compression.training.evaluate", killed)
        status, printed, errors = run(
            "compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--beta", "0.01,1", "--out", "model"
        )
        assert (status, printed) == (1, "")
        assert errors == "nmt-ib: out of memory\n"
    compress("--beta", "0.01,1")
    assert contents(treebanks / "model") == contents(treebanks / "whole")


@pytest.mark.parametrize("tags", ["discrete", "identity", "pca", "mlp", "pos", "random"])
def test_every_kind_of_tags_trains_and_is_measured(compress, run, tags):
    rated = tags in ("discrete", "pos", "random")
    (point,) = compress("--tags", tags, "--num-tags", 3)["points"]
    assert (point["bits_per_token"] is not None) == rated
    assert (point["beta"] is not None) == (tags == "discrete")
    status, printed, errors = run("benchmark", "parsing", "model", "dev.conllu", "--json")
    assert (status, errors) == (0, "")
    found = json.loads(printed)
    assert found["las"] == point["las"]
    assert found["bits_per_token"] == pytest.approx(point["bits_per_token"])


def test_discrete_tags_have_a_table(compress, treebanks):
    compress("--tags", "discrete", "--num-tags", 3)
    head, *rows = (treebanks / "model" / "tags.tsv").read_text(encoding="utf-8").splitlines()
    assert 1 <= len(rows) <= 3
    assert all(row.count("\t") == head.count("\t") for row in rows)
    place = head.split("\t").index("words")
    assert sum(int(row.split("\t")[place]) for row in rows) == 16  # those of the development set


def test_options_arrive(compress):
    settings = compress(
        "--tags", "continuous", "--gamma", 0.5, "--deep", "--standard-prior", "--samples", 2, "--warmup", 0.5,
        "--free-bits", 1, "--dropout", 0.1, "--max-sentences", 9, "--learning-rate", 0.01, "--seed", 3,
        "--pooling", "mean", "--layer", "mix",
    )["signature"]  # fmt: skip
    assert settings["seed"] == 3
    given = settings["settings"]
    assert given["layers"] == [0, 1, 2, 3]
    assert given["objective"] | {"beta": 0} == {"beta": 0, "gamma": 0.5, "warmup": 0.5, "free_bits": 1}
    assert (given["tags"]["deep"], given["tags"]["standard_prior"]) == (True, True)
    assert (given["training"]["samples"], given["training"]["learning_rate"]) == (2, 0.01)
    assert given["tags"]["dropout"] == given["parser"]["dropout"] == 0.1


def test_a_treebank_may_be_gzipped(compress, run, treebanks):
    plain = compress()["points"][0]
    (treebanks / "train.conllu.gz").write_bytes(gzip.compress(conllu().encode()))
    status, printed, _ = run("compress", "train.conllu.gz", "--dev", "dev.conllu", *QUICK, "--out", "zipped", "--json")
    assert status == 0
    assert json.loads(printed)["points"][0] == plain
    assert run("parse", "train.conllu.gz", "--model", "model")[1] == run("parse", "train.conllu", "--model", "model")[1]


def test_other_settings_in_the_same_directory_are_refused(compress, run):
    compress()
    given = ["compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--out", "model"]
    for more, message in (
        (("--beta", 0.5), "beta is "),
        (("--tags", "pca"), "settings.tags.kind is 'pca' now and was 'continuous'"),
        (("--seed", 5), "seed is 5 now and was 0"),
        (("--max-sentences", 3), "data.train is "),
        (("--pooling", "last"), "model_fingerprint is "),
    ):
        errors = refused(run(*given, *more))
        assert "holds another run" in errors
        assert message in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tags", "magic"], "'magic' is not one of 'continuous', 'discrete'"),
        (["--layer", "9"], "has layers 0 to 3, or 'mix'"),
        (["--layer", "last"], "layer is 'last': "),
        (["--layer", "-1"], "layer is '-1': "),
        (["--layer", "²"], "layer is '²': "),
        (["--beta", "much"], "--beta 'much': expected numbers separated by commas"),
        (["--beta", "-1"], "beta, gamma and free_bits must be finite"),
        (["--beta", "0.1,,1"], "expected numbers separated by commas"),
        (["--gamma", "-1"], "at least 0"),
        (["--warmup", "2"], "warmup must be a fraction"),
        (["--dropout", "1"], "below 1"),
        (["--learning-rate", "0"], "above 0"),
        (["--pooling", "best"], "'best' is not one of 'first', 'mean', 'last'"),
        (["--tags", "pca", "--dim", "999"], "999 principal components need vectors of at least 999 dimensions"),
        (["--tags", "pos", "--gamma", "1", "--free-bits", "3"], "pos tags have no rate term: omit gamma, free_bits"),
        (["--tags", "mlp", "--deep"], "only continuous and discrete tags have hidden layers"),
        (["--tags", "discrete", "--standard-prior"], "only continuous tags have a standard prior"),
        (["--dev", "nowhere.conllu"], "there is no file nowhere.conllu"),
        (["--dev", "empty.conllu"], "empty.conllu has no words"),
        (["--beta", "0.1,1", "--tags", "pos"], "pos tags have no rate term: expected a single beta"),
        (["--dev", "broken.conllu"], "broken.conllu, line 3: "),
        (["--embedder", "./nothing"], "there is no directory ./nothing"),
        (["--device", "toaster"], "cannot use the device 'toaster'"),
    ],
    ids=lambda value: ascii(" ".join(value)) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line(run, treebanks, arguments, message):
    (treebanks / "empty.conllu").write_text("# nothing\n\n")
    (treebanks / "broken.conllu").write_text(conllu().replace("\t4\tnsubj", "\t9\tnsubj", 1))
    errors = refused(run("compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--out", "model", *arguments))
    assert message in errors
    assert not (treebanks / "model").exists()


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (lambda text: text.replace("\t4\tnsubj", "\t2\tnsubj", 1), 3),  # a circle of one
        (lambda text: text.replace("\t4\tnsubj", "\t0\tnsubj", 1), 5),
        (lambda text: text.replace("\t_\t_\t4\tnsubj", "\t_\t4\tnsubj", 1), 3),
        (lambda text: text.replace("\t4\tnsubj", "\t9\tnsubj", 1), 3),
    ],
    ids=["circle", "two roots", "missing column", "head out of range"],
)
def test_a_broken_treebank_names_file_and_line(run, treebanks, broken, line):
    (treebanks / "broken.conllu").write_text(broken(conllu()))
    errors = refused(run("compress", "broken.conllu", "--dev", "dev.conllu", *QUICK, "--out", "model"))
    assert f"broken.conllu, line {line}: " in errors
    assert not (treebanks / "model").exists()


def test_only_sentences_with_words_are_drawn(compress, treebanks):
    write_treebank(treebanks / "train.conllu", ("",) * 50 + SENTENCES[:1])
    assert compress("--max-sentences", 1)["points"][0]["epochs"] == 2


def test_a_full_disk_is_said_in_one_line(run, treebanks, monkeypatch):
    from errno import ENOSPC
    from pathlib import Path

    def full(*_):
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    given = ("compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--out", "model")
    assert "no disk space left for model: free some, then rerun the command to resume" in refused(run(*given))


def test_a_diverged_training_says_so(run):
    given = ("compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--learning-rate", 1e30, "--out", "model")
    assert "training diverged in epoch 1: the loss is nan; start again with a learning rate below 1e+30" in refused(
        run(*given)
    )


def test_all_betas_are_checked_before_training(run, treebanks):
    given = ("compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--out", "model", "--beta", "0.1,nan")
    refused(run(*given))
    assert not (treebanks / "model").exists()


def test_a_directory_of_something_else_is_refused(run, treebanks):
    (treebanks / "notes").mkdir()
    (treebanks / "notes" / "diary.txt").write_text("no")
    given = ("compress", "train.conllu", "--dev", "dev.conllu", *QUICK, "--out")
    assert "holds other files" in refused(run(*given, "notes"))
    assert "is a file" in refused(run(*given, "train.conllu"))


@pytest.mark.parametrize("command", [["compress"], ["parse"], ["benchmark", "parsing"]], ids=" ".join)
def test_help_ends_in_an_example(capsys, command):
    with pytest.raises(SystemExit) as exit_:
        main([*command, "--help"])
    printed = capsys.readouterr().out
    assert exit_.value.code == 0
    assert f"Usage: nmt-ib {' '.join(command)}" in printed
    assert f"$ nmt-ib {' '.join(command)}" in printed.rpartition("Example:")[2]
