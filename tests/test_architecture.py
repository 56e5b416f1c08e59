"""The house: imports go down only, siblings do not know each other, foreign names live in one place.

Each test looks at every file and lists all offenders.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nmt_ib"
FLOORS = {
    "types": 0, "protocols": 0, "results": 0, "signature": 0, "numerics": 0, "seeding": 0, "errors": 0, "batching": 0,
    "blocks": 0, "checkpoint": 0, "files": 0, "requests": 0, "readability": 0, "word_classes": 0, "catalog": 0,
    "progress": 0,
    "models": 1, "data": 1, "info": 1, "parsing": 1, "reports": 1, "runs": 1, "engines": 1,
    # networks reads images and measures layers, so it stands above data and info
    "networks": 2, "attribution": 2, "compression": 2, "faithfulness": 2, "deep_vib": 2,
    "studies": 3,
    "cli": 4, "benchmark": 4, "__main__": 5, "__init__": 5,
}  # fmt: skip
# Foreign name -> the only folders and files that may import it.
FOREIGN = {
    "transformers": ("models/",), "sentencepiece": ("models/",), "spacy": ("models/words.py",),
    "h5py": ("models/elmo_files.py",), "datasets": ("data/hub.py",),
    "matplotlib": ("reports/png/",), "seaborn": ("reports/png/",), "jinja2": ("reports/html.py",),
    "typer": ("cli/",), "rich": ("cli/", "progress.py"),
    "filelock": ("files.py",), "platformdirs": ("files.py",), "pydantic": ("results/", "runs/"),
    "ray": ("engines/ray.py",),
}  # fmt: skip
MAX_LINES = 300
TOO_LONG: set[str] = set()
VAGUE = {"utils", "helpers", "misc", "common", "base"}
FRONT_DOOR = {"nmt_ib", "nmt_ib.info", "nmt_ib.benchmark"}  # what recipes may import

# Module without tests/ROOM/test_MODULE.py -> where it is tested, or why not.
TESTED_ELSEWHERE = {
    "__main__.py": "one line",
    "attribution/statistics_measurement.py": "attribution/test_statistics.py",
    "attribution/contribution_scores.py": "contracts/test_attributor.py",
    "attribution/random_scores.py": "contracts/test_attributor.py",
    "catalog.py": "tables only; contracts/test_attributor.py makes all that they name",
    "benchmark.py": "names only; test_architecture.py loads them",
    "errors.py": "one class",
    "reports/rendering.py": "cli/test_same_bytes.py",
    "results/result.py": "runs/test_loading.py",
    "runs/saving.py": "runs/test_loading.py",
    "studies/benchmarks/benchmark.py": "cli/test_benchmark.py",
    "studies/planes/curve.py": "cli/test_curve.py",
    "studies/planes/plane.py": "cli/test_plane.py",
    "studies/retention/study.py": "studies/retention/test_retain.py",
    "studies/under_translation/study.py": "studies/under_translation/test_diagnose.py",
    "models/classifier.py": "contracts/test_encoder_model.py",
    "models/encoder.py": "contracts/test_encoder_model.py",
    "models/generation.py": "contracts/test_translation_model.py",
    "models/seq2seq.py": "contracts/test_translation_model.py",
    "models/seq2seq_encoder.py": "contracts/test_translation_model.py",
    "models/sources.py": "contracts/test_encoder_model.py and contracts/test_translation_model.py",
    "numerics.py": "constants",
    "protocols.py": "promises without code; contracts/ keeps them",
}
UNTESTED = """
cli/benchmark_table
cli/layers
cli/main
cli/render
cli/show
cli/terminal
results/estimator_benchmark
results/ib_curve
results/information_plane
results/transformer_plane
studies/attribution
studies/retention/summary
studies/under_translation/stored_references
""".split()

FILES = sorted(PACKAGE.rglob("*.py"))
RECIPES = sorted((ROOT / "recipes").glob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


@cache
def imports(path: Path) -> frozenset[str]:
    """Modules that a file imports, anywhere in it; under TYPE_CHECKING and in functions, too."""
    modules: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            modules |= {inner for name in node.names if (inner := f"{module}.{name.name}") in MODULES} or {module}
    return frozenset(modules)


def package_imports() -> Iterator[tuple[str, str]]:
    """Importing and imported module, both of the package."""
    for mine, path in MODULES.items():
        yield from ((mine, theirs) for theirs in sorted(imports(path)) if theirs.split(".")[0] == "nmt_ib")


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def is_study(module: str) -> bool:
    return module.startswith("nmt_ib.studies.")


def none(offenders: Iterable[str]) -> None:
    """Fails with the list of all offenders."""
    found = list(offenders)
    assert not found, "\n".join(found)


def test_every_room_has_a_floor():
    none(f"{module}: add {room(module)!r} to FLOORS" for module in MODULES if room(module) not in FLOORS)


def test_imports_go_down_and_never_to_a_sibling():
    none(
        f"{mine} (floor {FLOORS[room(mine)]}) imports {theirs} (floor {FLOORS[room(theirs)]})"
        for mine, theirs in package_imports()
        if room(mine) != room(theirs)
        and not (FLOORS[room(theirs)] < FLOORS[room(mine)] or FLOORS[room(theirs)] == FLOORS[room(mine)] == 0)
    )


def test_studies_do_not_know_each_other():
    """A folder of studies is a room of its own, and so is a study of one file."""
    none(
        f"{mine} imports {theirs}"
        for mine, theirs in package_imports()
        if is_study(mine) and is_study(theirs) and mine.split(".")[2] != theirs.split(".")[2]
    )


def test_there_is_no_circle():
    graph = {module: sorted(imports(path) & MODULES.keys()) for module, path in MODULES.items()}
    state: dict[str, int] = {}

    def visit(module: str, trail: tuple[str, ...]) -> Iterator[str]:
        if state.get(module) == 1:
            yield " -> ".join((*trail[trail.index(module) :], module))
        elif module not in state:
            state[module] = 1
            for other in graph[module]:
                yield from visit(other, (*trail, module))
            state[module] = 2

    none(circle for module in graph for circle in visit(module, ()))


def test_imports_are_absolute():
    none(f"{path}: {module}" for path in FILES for module in imports(path) if module.startswith("."))


def test_foreign_names_live_in_one_place():
    none(
        f"{module_of(path)} imports {module}, which only {' and '.join(homes)} may know"
        for path in FILES
        for module in imports(path)
        if (homes := FOREIGN.get(module.split(".")[0])) and not path.relative_to(PACKAGE).as_posix().startswith(homes)
    )


def test_files_are_short():
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    none(f"{path}: {lines} lines" for path, lines in lengths.items() if lines > MAX_LINES and path not in TOO_LONG)


def test_files_are_named_by_an_idea():
    none(str(path) for path in FILES if path.stem in VAGUE or path.parent.name in VAGUE)


def test_every_module_and_public_name_has_a_docstring():
    none(
        f"{module}: {getattr(node, 'name', 'the module')}"
        for module, path in MODULES.items()
        for node in (parsed(path), *parsed(path).body)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
        and not getattr(node, "name", "").startswith("_")
        and not ast.get_docstring(node)
    )


def test_every_module_has_a_test_or_a_reason():
    places = {path.relative_to(PACKAGE) for path in FILES if path.stem != "__init__"}
    tested = {place.as_posix() for place in places if (ROOT / "tests" / place.with_stem(f"test_{place.stem}")).exists()}
    excused = TESTED_ELSEWHERE.keys() | {f"{name}.py" for name in UNTESTED}
    none(f"nmt_ib/{place}" for place in sorted({place.as_posix() for place in places} - tested - excused))


def test_reasons_name_tests_that_exist():
    reasons = {reason for reason in TESTED_ELSEWHERE.values() if "/test_" in reason}
    files = {word.rstrip(":") for reason in reasons for word in reason.split() if "/test_" in word}
    none(sorted(file for file in files if not (ROOT / "tests" / file).exists()))


def test_recipes_import_public_names_only():
    none(
        f"{path.name}: {module}"
        for path in RECIPES
        for module in sorted(imports(path))
        if module.split(".")[0] == "nmt_ib" and module not in FRONT_DOOR
    )


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
        assert getattr(nmt_ib, name).__name__.split(".")[-1] == name
    for module in (nmt_ib.benchmark, nmt_ib.info):
        assert all(hasattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = nmt_ib.nonsense
