"""Plain data and promises: batches, buckets, seeds, signatures, means."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.results.diagnosis import DiagnosisSummary, Share
from nmt_ib.seeding import sentence_generator
from nmt_ib.signature import RunSignature, fingerprint_lines
from nmt_ib.types import Sentence, TokenBatch


def test_padding():
    short, long = Sentence("a", (5, 0), ("a", "."), (0, -1)), Sentence("b", (6, 7, 0), ("b", "c", "."), (0, 0, -1))
    batch = TokenBatch.pad([short, long], pad_id=9)
    assert batch.ids.tolist() == [[5, 0, 9], [6, 7, 0]]
    assert batch.mask.tolist() == [[True, True, False], [True, True, True]]
    assert batch.word_index.tolist() == [[0, -1, -1], [0, 0, -1]]


def test_a_sentence_has_its_own_noise():
    def draw(seed, text):
        return torch.randn(3, generator=sentence_generator(seed, text)).tolist()

    assert draw(0, "a") == draw(0, "a")
    assert len({tuple(draw(seed, text)) for seed in (0, 1) for text in ("a", "b", "\ud800")}) == 6


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
