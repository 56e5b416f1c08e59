"""Progress bars on standard error, in a terminal or a notebook."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], object]


@contextmanager
def progress_bar(label: str, total: int, done: int = 0, *, shown: bool = True) -> Iterator[Advance]:
    """A progress bar with rate and remaining time; it disappears at the end.

    Args:
        label: What is being done.
        total: Number of items.
        done: Number of items that were done before.
        shown: Whether to show it at all; it is never shown where standard error is neither a terminal nor a notebook.

    Yields:
        A function to call with the number of items just done.
    """
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    visible = shown and (sys.stderr.isatty() or console.is_jupyter)
    with Progress(*columns, console=console, disable=not visible, transient=True) as bar:
        task = bar.add_task(label, total=total, completed=done, rate="")

        def advance(count: int) -> Any:
            bar.advance(task, count)
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.1f}/s" if speed else "")

        yield advance
