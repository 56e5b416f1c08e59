"""What every command shares: options, progress on standard error, and errors as one line."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from nmt_ib.results.result import Document, Result

SourceLanguage = Annotated[str | None, typer.Option(help="As the tokenizer names it: eng_Latn, en_XX, en.")]
TargetLanguage = Annotated[str | None, typer.Option(help="As the tokenizer names it: por_Latn, pt_XX, pt.")]
Prefix = Annotated[str | None, typer.Option(help='Task prefix of T5: "translate English to German: ".')]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Copies of sentences that go through the model at once.")]
SentencesAtOnce = Annotated[int, typer.Option("--batch-size", min=1, help="Sentences at once.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores where not given.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

FIGURES = (".png", ".gif")
out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


def set_threads(threads: int | None) -> None:
    """Sets the number of CPU threads of this process.

    Args:
        threads: At least 1; None leaves it as it is.
    """
    if threads:
        import torch

        torch.set_num_threads(threads)


def present(found: "Result", show: Callable[[Any], object], directory: Path | None, *, as_json: bool) -> None:
    """Prints a result: one JSON document, or tables and the run directory's files.

    Args:
        found: What a study returned.
        show: Prints its tables.
        directory: The run directory that the user named, if any.
        as_json: Whether to print JSON.
    """
    if as_json:
        print_json(found)
        return
    show(found)
    if directory is not None:
        announce(directory)


def announce(directory: Path) -> None:
    """Prints where the report of a run is, or its summary and figures where it has no report."""
    if (report := directory / "report.html").is_file():
        out.print(f"Report: {report}", soft_wrap=True)
        return
    for path in sorted(path for path in directory.iterdir() if path.suffix in FIGURES or path.name == "summary.json"):
        out.print(str(path), soft_wrap=True)


def print_json(found: "Document") -> None:
    """Prints a result as one JSON document, holding one sentence in memory at a time."""
    if getattr(found, "sentence_type", None) is None:
        sys.stdout.write(json.dumps(found.to_dict(), ensure_ascii=False) + "\n")
        return
    _print_sentences(found)
    sys.stdout.write("\n")


def _print_sentences(found: Any) -> None:
    known = {"signature": found.signature, "summary": found.summary.to_dict()}
    if others := getattr(found, "compared", ()):
        known["compared"] = {other.summary.model: other.summary.to_dict() for other in others}
    sys.stdout.write(json.dumps(known, ensure_ascii=False)[:-1] + ', "sentences": [')
    for number, sentence in enumerate(found.sentences):
        sys.stdout.write(("," if number else "") + "\n" + json.dumps(sentence.to_dict(), ensure_ascii=False))
    sys.stdout.write("]}")


def split(names: str) -> list[str]:
    """Names separated by commas, each once."""
    return list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))


def quiet_libraries() -> None:
    """Keeps other libraries' chatter off the terminal: what matters to the user, the commands say themselves."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_VERBOSITY", "critical")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def printable(text: str) -> str:
    """Text without characters that could move the cursor or colour the terminal.

    Args:
        text: Anything.

    Returns:
        The same number of characters; control characters are shown as a replacement mark.
    """
    return "".join(character if character.isprintable() or character == "\u200d" else "\ufffd" for character in text)
