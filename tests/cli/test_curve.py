"""`nmt-ib curve`: its document, its table, its figure, and one line for each bad request."""

import json
import struct

import pytest

from nmt_ib.cli.main import main

CHANNEL = "0.45,0.05\n0.05,0.45\n"


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Runs the command in a directory that holds joint.csv; status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, table=CHANNEL):
        (tmp_path / "joint.csv").write_text(table)
        with pytest.raises(SystemExit) as stopped:
            main(["curve", "joint.csv", *arguments])
        return stopped.value.code, *capsys.readouterr()

    return run


def test_json_holds_the_curve_and_nothing_else(run):
    status, output, errors = run("--beta", "0.5:50", "--points", "30", "--json")
    assert (status, errors) == (0, "")
    found = json.loads(output)
    assert found["critical_betas"] == pytest.approx([1.5625])
    assert found["i_xy_bits"] == pytest.approx(0.531004, abs=1e-6)
    assert len(found["points"]) == 30
    assert {"beta", "i_x_bits", "i_y_bits"} <= found["points"][0].keys()
    assert found["points"][0]["beta"] == pytest.approx(0.5)
    assert found["points"][-1]["i_y_bits"] == pytest.approx(0.531004, abs=1e-5)


def test_table_layers_and_files(run, tmp_path):
    (tmp_path / "layers.csv").write_text("name,i_x_bits,i_y_bits\nfirst $layer$,0.9,0.4\nsecond,0.1,0.4\n")
    status, output, _ = run("--points", "20", "--layers", "layers.csv", "--out", "run", "--samples", "1000")
    assert status == 0
    assert "critical betas 1.562" in output
    assert "first $layer$" in output
    assert "Note: second lies above the curve" in output
    assert [head.strip() for head in output.splitlines()[2].split("   ") if head.strip()] == [
        "beta", "I(X;T) bits", "± I(X;T)", "I(T;Y) bits", "± I(T;Y)", "clusters"
    ]  # fmt: skip
    assert len(json.loads((tmp_path / "run" / "summary.json").read_text())["layers"]) == 2
    picture = (tmp_path / "run" / "curve.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert min(struct.unpack(">II", picture[16:24])) > 500


def test_another_curve_is_not_overwritten(run, tmp_path):
    assert run("--points", "5", "--out", "run")[0] == 0
    before = (tmp_path / "run" / "summary.json").read_bytes()
    assert run("--points", "5", "--out", "run")[0] == 0
    for changed, table in ((["--points", "6"], CHANNEL), (["--points", "5"], "0.4,0.1\n0.1,0.4\n")):
        status, output, errors = run(*changed, "--out", "run", table=table)
        assert (status, output, errors.count("\n")) == (2, "", 1)
        assert "holds another run" in errors
    assert (tmp_path / "run" / "summary.json").read_bytes() == before


def test_hard_clusters(run):
    status, output, _ = run("--method", "dib", "--points", "5", "--json")
    assert status == 0
    assert json.loads(output)["method"] == "dib"


def test_a_function_is_said_in_words(run):
    status, output, _ = run("--points", "5", table="0.5,0\n0,0.5\n")
    assert status == 0
    assert "Note: Y is a function of X" in output


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("0.5,0.5\n0.2,0.3\n", "the cells sum to 1.5"),
        ("0.7,0.5\n-0.2,0\n", "row 2, column 1 is -0.2"),
        ("0.5,nan\n0.5,0\n", "row 1, column 2 is nan"),
        ("0.5,0.1\n0.4\n", "line 2: expected 2 columns as in the first row, found 1"),
        ("0.5,0.5\n", "at least 2 rows"),
        ("0.5\n0.5\n", "2 columns"),
        ("", "is empty"),
        ("x,y\n", "expected a number"),
    ],
)
def test_bad_tables_are_one_line(run, table, message):
    status, output, errors = run(table=table)
    assert (status, output) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--beta", "5"], "expected FROM:TO"),
        (["--beta", "5:1"], "0 < smallest < largest"),
        (["--beta", "0:1"], "0 < smallest < largest"),
        (["--method", "ba"], "'ba' is not one of 'ib', 'dib'"),
        (["--layers", "none.csv"], "none.csv"),
        (["--out", "joint.csv"], "is a file"),
    ],
)
def test_bad_requests_are_one_line(run, arguments, message):
    status, output, errors = run(*arguments)
    assert (status, output) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1
