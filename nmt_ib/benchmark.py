"""Benchmarks: attribution methods by faithfulness and by manual alignments, parsers, estimators by exact values."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmt_ib.faithfulness.randomization import RandomizedStage, randomization_check
    from nmt_ib.faithfulness.ranking import Ranking, rank
    from nmt_ib.results.benchmark import Benchmark, BenchmarkRow
    from nmt_ib.results.estimator_benchmark import EstimatorBenchmark
    from nmt_ib.studies.benchmarks.benchmark import alignment, attribution, mi
    from nmt_ib.studies.parsing.benchmark import parsing, score_parser

_HOMES = {
    "Benchmark": "results.benchmark",
    "BenchmarkRow": "results.benchmark",
    "EstimatorBenchmark": "results.estimator_benchmark",
    "RandomizedStage": "faithfulness.randomization",
    "Ranking": "faithfulness.ranking",
    "alignment": "studies.benchmarks.benchmark",
    "attribution": "studies.benchmarks.benchmark",
    "mi": "studies.benchmarks.benchmark",
    "parsing": "studies.parsing.benchmark",
    "randomization_check": "faithfulness.randomization",
    "rank": "faithfulness.ranking",
    "score_parser": "studies.parsing.benchmark",
}
__all__ = [
    "Benchmark",
    "BenchmarkRow",
    "EstimatorBenchmark",
    "RandomizedStage",
    "Ranking",
    "alignment",
    "attribution",
    "mi",
    "parsing",
    "randomization_check",
    "rank",
    "score_parser",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nmt_ib.benchmark' has no attribute {name!r}")
    return getattr(import_module(f"nmt_ib.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
