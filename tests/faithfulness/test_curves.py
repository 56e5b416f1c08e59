"""Degradation curves: levels, rankings, and the figures read off a curve."""

import pytest

from nmt_ib.faithfulness.curves import DegradationCurve, RankedAnswer, removal_levels
from nmt_ib.types import Sentence, Word

SOURCE = Sentence("a b c", (7, 11, 12), ("a", "b", "c"), (0, 1, 2), words=tuple(Word(c, 0, 1) for c in "abc"))


@pytest.mark.parametrize("words", range(0, 60))
def test_levels_run_from_none_to_all_and_mirror_each_other(words):
    levels = removal_levels(words)
    assert (levels[0], levels[-1]) == (0, words)
    assert list(levels) == sorted(set(levels))
    assert [words - level for level in reversed(levels)] == list(levels)
    assert len(levels) in ((words + 1,) if words <= 10 else (10, 11, 12))


def test_ties_keep_their_order():
    assert RankedAnswer(SOURCE, 1, (0.0, 1.0, 0.0)).ranking == [1, 0, 2]


def test_the_figures_of_a_curve_by_hand():
    curve = DegradationCurve(removed=(0, 1, 2), morf=(0.9, 0.3, 0.1), lerf=(0.9, 0.8, 0.1))
    assert curve.range == pytest.approx(0.8)
    assert curve.area == pytest.approx((1.8 - 1.3) / 3)
    assert curve.comprehensiveness == pytest.approx((0, 0.6, 0.8))
    assert curve.sufficiency == pytest.approx((0.8, 0.1, 0))  # no word, the top word, both words left
    assert curve.aopc_comprehensiveness == pytest.approx(1.4 / 3)
    assert curve.aopc_sufficiency == pytest.approx(0.9 / 3)


def test_a_sentence_without_words_has_no_area():
    assert DegradationCurve((0,), (0.5,), (0.5,)).area == 0
