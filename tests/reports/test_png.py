"""Figures are there, also for runs that have nothing to show."""

import pytest

from nmt_ib.reports.png import write_figures
from nmt_ib.results import DiagnosisSummary, SentenceDiagnosis, Share, WordDiagnosis

EMPTY = DiagnosisSummary(0, 0, 0, 0, 0, 0, 0, 0.0)
SHARES = (Share("open class", 10, 2), Share("closed class", 5, 0))
FULL = DiagnosisSummary(1, 0, 15, 2, 1, 1, 1, 1.0, SHARES, SHARES, SHARES, SHARES)
WORDS = tuple(WordDiagnosis("w", 0, 1, bits, None, 0.5, bits < 0, None) for bits in (-500.0, -3.0, 0.0, 9.0, 500.0))


@pytest.mark.parametrize("summary", [EMPTY, FULL], ids=["empty", "full"])
def test_figures(tmp_path, summary):
    lines = [SentenceDiagnosis(0, "w", "t", False, -1.0, ("t",), WORDS)] if summary is FULL else []
    paths = write_figures(tmp_path, summary, iter(lines))
    assert [path.name for path in paths] == ["dropped_by_group.png", "contributions.png"]
    for path in paths:
        data = path.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert len(data) > 5_000
