"""The house: imports go down only, siblings do not know each other, foreign names live in one place."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nmt_ib"
FLOORS = {
    "types": 0, "protocols": 0, "results": 0, "signature": 0, "numerics": 0, "seeding": 0, "errors": 0, "batching": 0,
    "checkpoint": 0, "files": 0, "requests": 0, "readability": 0, "word_classes": 0, "catalog": 0,
    "models": 1, "data": 1, "info": 1, "parsing": 1, "reports": 1,
    # networks reads images and measures layers, so it stands above data and info
    "networks": 2, "attribution": 2, "compression": 2, "faithfulness": 2, "deep_vib": 2,
    "studies": 3,
    "cli": 4, "__main__": 5, "__init__": 5,
}  # fmt: skip
FOREIGN = {
    "transformers": "models/", "sentencepiece": "models/", "spacy": "models/words.py", "datasets": "data/hub.py",
    "matplotlib": "reports/png/", "seaborn": "reports/png/", "h5py": "models/elmo_files.py",
    "jinja2": "reports/html.py", "typer": "cli/",
}  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


@cache
def imports(path: Path) -> set[str]:
    """Modules that a file imports, anywhere in it; under TYPE_CHECKING and in functions, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_down_and_never_to_a_sibling(path):
    mine = room(module_of(path))
    for theirs in {room(module) for module in imports(path) if module.split(".")[0] == "nmt_ib"} - {mine}:
        lower = FLOORS[theirs] < FLOORS[mine] or FLOORS[theirs] == FLOORS[mine] == 0
        assert lower, f"{module_of(path)} (floor {FLOORS[mine]}) imports {theirs} (floor {FLOORS[theirs]})"


def test_there_is_no_circle():
    graph = {module_of(path): {m for m in imports(path) if m.startswith("nmt_ib.")} for path in FILES}
    state: dict[str, int] = {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert state.get(module) != 1, f"circle: {' -> '.join((*trail, module))}"
        if module in graph and module not in state:
            state[module] = 1
            for other in graph[module]:
                visit(other, (*trail, module))
            state[module] = 2

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_foreign_names_live_in_one_place(path):
    place = path.relative_to(PACKAGE).as_posix()
    for module in imports(path):
        home = FOREIGN.get(module.split(".")[0])
        assert home is None or place.startswith(home), f"{place} imports {module}, which only {home} may know"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_files_are_short_and_named_by_an_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert path.stem not in {"utils", "helpers", "misc", "common", "base"}


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_every_module_says_what_it_is(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("module", ["nmt_ib", "nmt_ib.cli.main"])
def test_import_is_cheap(module):
    code = (
        f"import sys, {module}\n"
        "heavy = {'torch', 'transformers', 'spacy', 'sacrebleu', 'numpy', 'pandas', 'datasets'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_exist():
    import nmt_ib

    for name in nmt_ib.__all__:
        assert getattr(nmt_ib, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = nmt_ib.nonsense
