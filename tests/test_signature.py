"""Signatures and fingerprints distinguish what differs."""

from hypothesis import given
from hypothesis import strategies as st

from nmt_ib.signature import RunSignature, fingerprint_lines


def test_signatures_name_the_first_difference():
    one = RunSignature("diagnose", "m", "f", {"sources": "x"}, {"beams": 1}, 0)
    assert one.difference(one.to_dict()) is None
    other = {**one.to_dict(), "data": {"sources": "y"}}
    assert one.difference(other) == "data.sources is 'x' now and was 'y'"
    assert "settings.draws is None now and was 4" in one.difference(
        {**one.to_dict(), "settings": {"beams": 1, "draws": 4}}
    )


@given(st.lists(st.text(st.characters(exclude_characters="\n"))))
def test_fingerprints_distinguish_texts(lines):
    assert fingerprint_lines(lines) == fingerprint_lines(iter(lines))
    assert fingerprint_lines(lines) != fingerprint_lines([*lines, "x"])
