"""Shares of dropped words, and a summary's JSON round trip."""

from nmt_ib.results.diagnosis import DiagnosisSummary, Share


def test_shares():
    assert Share("a", 4, 1).share == 0.25
    assert Share("a", 0, 0).share == 0
    summary = DiagnosisSummary(1, 0, 4, 1, 1, 0, 1, 1.0, by_length=(Share("a", 4, 1),))
    assert DiagnosisSummary.from_dict(summary.to_dict()) == summary
