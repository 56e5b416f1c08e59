"""Report and figures of each kind of result, as files in its run directory."""

from pathlib import Path

from nmt_ib.files import replacing
from nmt_ib.reports.html import write_report, write_retention_report
from nmt_ib.results.diagnosis import Diagnosis
from nmt_ib.results.estimator_benchmark import EstimatorBenchmark
from nmt_ib.results.ib_curve import IBCurve
from nmt_ib.results.information_plane import Plane
from nmt_ib.results.parsing import CompressionSweep, Parses
from nmt_ib.results.result import Result
from nmt_ib.results.retention import Retention
from nmt_ib.results.transformer_plane import TransformerPlane

REPORT, PARSED = "report.html", "parsed.conllu"


def diagnosis(directory: Path, result: Diagnosis) -> list[Path]:
    """Writes `report.html`, `dropped_by_group.png` and `contributions.png`."""
    from nmt_ib.reports.png.diagnosis import write_figures

    report = directory / REPORT
    write_report(report, result.signature, result.summary, result.sentences)
    return [report, *write_figures(directory, result.summary, result.sentences)]


def retention(directory: Path, result: Retention) -> list[Path]:
    """Writes `report.html` and the figures of the layers."""
    from nmt_ib.reports.png.retention import write_retention_figures

    report = directory / REPORT
    others = [other.summary for other in result.compared]
    write_retention_report(report, result.signature, result.summary, result.sentences, others)
    summaries = {summary.model: summary for summary in (result.summary, *others)}
    return [report, *write_retention_figures(directory, summaries, result.sentences)]


def compression(directory: Path, result: CompressionSweep) -> list[Path]:
    """Writes `sweep.png` where there are several parsers."""
    from nmt_ib.reports.png.parsing import write_sweep_figure

    return write_sweep_figure(directory, result) if len(result.points) > 1 else []


def parses(directory: Path, result: Parses) -> list[Path]:
    """Writes `parsed.conllu`."""
    path = directory / PARSED
    with replacing(path) as file:
        file.write(result.to_conllu())
    return [path]


def plane(directory: Path, result: Plane) -> list[Path]:
    """Writes the figures and the animation of networks in the information plane."""
    from nmt_ib.reports.png.plane import write_plane_figures

    return write_plane_figures(directory, result)


def transformer_plane(directory: Path, result: TransformerPlane) -> list[Path]:
    """Writes the figure of a model's layers."""
    from nmt_ib.reports.png.transformer_plane import write_transformer_figure

    return write_transformer_figure(directory, result)


def curve(directory: Path, result: IBCurve) -> list[Path]:
    """Writes `curve.png`."""
    from nmt_ib.reports.png.information_plane import write_curve_figure

    return write_curve_figure(directory, result)


def estimators(directory: Path, result: EstimatorBenchmark) -> list[Path]:
    """Writes the figure of estimators and tasks."""
    from nmt_ib.reports.png.estimators import write_estimator_figure

    return write_estimator_figure(directory, result)


def no_figures(directory: Path, result: Result) -> list[Path]:
    """A table needs no figure."""
    return []
