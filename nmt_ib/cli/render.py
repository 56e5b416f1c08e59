"""`nmt-ib render`: a run's report and figures, written again from its files."""

from pathlib import Path
from typing import Annotated

import typer

from nmt_ib.cli.terminal import out

EXAMPLE = """\b
Example:
  $ nmt-ib render run/
  run/report.html
  run/dropped_by_group.png
  run/contributions.png
"""


def render(run: Annotated[Path, typer.Argument(help="A directory that was given as --out.")]) -> None:
    """Writes the report and the figures of a finished run again, without a model."""
    from nmt_ib.runs.loading import render as render_run

    for path in render_run(run):
        out.print(str(path), soft_wrap=True)
