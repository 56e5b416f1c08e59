"""Benchmark of alignments: its rows are those of the extracted links."""

import pytest

from nmt_ib.attribution.contribution_scores import ContributionScores
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.alignment import GoldLinks, count_links, extract_links, token_matrix
from nmt_ib.studies.benchmarks.alignment import benchmark_alignment

SOURCES = ("The old house is red.", "", "A dog sleeps near the old red door, she said.")
TARGETS = ("A casa velha é vermelha.", "", "Um cão dorme perto da porta.")


@pytest.fixture
def translator(tiny_model):
    return tiny_model("bart").model


def test_rows_equal_those_of_the_links(translator):
    gold = ["0-0 1-2 2-1 3p3", "", "0-0 1-1 2-2 3-3"]
    table = benchmark_alignment(translator, SOURCES, TARGETS, gold, {"contribution": ContributionScores()})
    assert table.sentences == 2
    assert table.answers == 7
    kept = (0, 2)
    attributions = ContributionScores()(
        translator,
        [translator.tokenize_source(SOURCES[index]) for index in kept],
        [translator.tokenize_target(TARGETS[index]) for index in kept],
    )
    for metric, setting in table.columns:
        convention, rule = setting.split(", ")
        matrices = [token_matrix(found, convention) for found in attributions]
        counts = [
            count_links(extract_links(matrix, rule), GoldLinks.parse(gold[index]))
            for matrix, index in zip(matrices, kept, strict=True)
        ]
        shares = [count.ratios[metric] for count in counts]
        row = next(row for row in table.of("contribution") if (row.setting, row.metric) == (setting, metric))
        assert row.value == pytest.approx(sum(above for above, _ in shares) / sum(below for _, below in shares))


def test_wrong_requests(translator, tiny_encoder):
    with pytest.raises(RequestError, match="not a translation model"):
        benchmark_alignment(tiny_encoder("bert-classifier"), SOURCES, TARGETS, [""] * 3, {})
    with pytest.raises(RequestError, match="3 sources, 3 targets, 1 lines of links"):
        benchmark_alignment(translator, SOURCES, TARGETS, ["0-0"], {})
    with pytest.raises(RequestError, match="can read no pair"):
        benchmark_alignment(translator, ["", "no"], ["Um", ""], ["", ""], {})
