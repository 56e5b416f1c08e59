"""What every command shares: options, progress on standard error, and errors as one line."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SourceLanguage = Annotated[str | None, typer.Option(help="As the tokenizer names it: eng_Latn, en_XX, en.")]
TargetLanguage = Annotated[str | None, typer.Option(help="As the tokenizer names it: por_Latn, pt_XX, pt.")]
Prefix = Annotated[str | None, typer.Option(help='Task prefix of T5: "translate English to German: ".')]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Copies of sentences that go through the model at once.")]
SentencesAtOnce = Annotated[int, typer.Option("--batch-size", min=1, help="Sentences at once.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores where not given.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

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


def present(found: Any, show: Callable[[Any], object], files: Sequence[Path], *, as_json: bool) -> None:
    """Prints a result: one JSON document, or what `show` makes of it and the files that were written.

    Args:
        found: Has `to_dict`.
        show: Prints tables.
        files: Where the result was written.
        as_json: Which of the two.
    """
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), ensure_ascii=False) + "\n")
        return
    show(found)
    for path in files:
        out.print(str(path), soft_wrap=True)


def quiet_libraries() -> None:
    """Keeps other libraries' chatter off the terminal: what matters to the user, the commands say themselves."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_VERBOSITY", "critical")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@contextmanager
def progress(label: str, total: int, done: int = 0) -> Iterator[Callable[[int], Any]]:
    """A progress bar on standard error with rate and time left; silent where that is no terminal.

    Args:
        label: What is done.
        total: How many there are.
        done: How many were done before.

    Yields:
        A function to call with the number of items just done.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(label, total=total, completed=done, rate="")

        def advance(count: int) -> None:
            bar.advance(task, count)
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.1f}/s" if speed else "")

        yield advance


def printable(text: str) -> str:
    """Text without characters that could move the cursor or colour the terminal.

    Args:
        text: Anything.

    Returns:
        The same number of characters; control characters are shown as a replacement mark.
    """
    return "".join(character if character.isprintable() or character == "\u200d" else "\ufffd" for character in text)
