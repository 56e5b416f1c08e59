"""Plain data and promises: batches, buckets, seeds, signatures, means."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.diagnosis import DiagnosisSummary, Share
from nmt_ib.signature import RunSignature, fingerprint_lines


def test_a_bit_is_ln_2_nats():
    assert math.log(2) * BITS_PER_NAT == pytest.approx(1)


def test_signatures_name_the_first_difference():
    one = RunSignature("diagnose", "m", "f", {"sources": "x"}, {"beams": 1}, 0)
    assert one.difference(one.to_dict()) is None
    other = {**one.to_dict(), "data": {"sources": "y"}}
    assert one.difference(other) == "data.sources is 'x' now and was 'y'"
    assert "settings.draws is None now and was 4" in one.difference(
        {**one.to_dict(), "settings": {"beams": 1, "draws": 4}}
    )


@given(st.lists(st.text(st.characters(exclude_characters="\n"))))
def test_fingerprints_tell_texts_apart(lines):
    assert fingerprint_lines(lines) == fingerprint_lines(iter(lines))
    assert fingerprint_lines(lines) != fingerprint_lines([*lines, "x"])


def test_shares():
    assert Share("a", 4, 1).share == 0.25
    assert Share("a", 0, 0).share == 0
    summary = DiagnosisSummary(1, 0, 4, 1, 1, 0, 1, 1.0, by_length=(Share("a", 4, 1),))
    assert DiagnosisSummary.from_dict(summary.to_dict()) == summary
