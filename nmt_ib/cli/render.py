"""`nmt-ib render`: a run's report and figures, made anew from its files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_ib.cli.terminal import out

if TYPE_CHECKING:
    from nmt_ib.reports.jsonfile import RunDirectory

REPORT = "report.html"
EXAMPLE = """\b
Example:
  $ nmt-ib render run/
  run/report.html
  run/dropped_by_group.png
  run/contributions.png
"""


def render(run: Annotated[Path, typer.Argument(help="A directory that was given as --out.")]) -> None:
    """Writes the report and the figures of a finished run again, without a model."""
    from nmt_ib.reports.jsonfile import RunDirectory

    for path in write_reports(RunDirectory.existing(run)):
        out.print(str(path), soft_wrap=True)


def write_reports(run: "RunDirectory") -> list[Path]:
    """Writes `report.html` and the PNG figures into a run directory.

    Args:
        run: A finished run.

    Returns:
        The files.
    """
    from nmt_ib.reports.html import write_report, write_retention_report
    from nmt_ib.reports.png.diagnosis import write_figures
    from nmt_ib.reports.png.parsing import write_sweep_figure
    from nmt_ib.reports.png.retention import write_retention_figures

    if run.command == "compress":
        return write_sweep_figure(run.path, run.summary())
    report = run.path / REPORT
    if run.command == "retain":
        own, *others = run.summaries().values()
        write_retention_report(report, run.signature or {}, own, run.sentences(), others)
        return [report, *write_retention_figures(run.path, run.summaries(), run.sentences())]
    write_report(report, run.signature or {}, run.summary(), run.sentences())
    return [report, *write_figures(run.path, run.summary(), run.sentences())]
