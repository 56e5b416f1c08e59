"""References: scores against closed forms, spans that are cut, what is kept where."""

import json
import math
import random

import numpy as np
import pytest
from scipy.stats import norm

from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.protocols import TranslationModel
from nmt_ib.studies.under_translation import calibration, stored_references
from nmt_ib.studies.under_translation.calibration import EVERY, KindReference, Reference, cut_span, without_span
from nmt_ib.studies.under_translation.stored_references import reference_for
from nmt_ib.types import Sentence, Word

FIGURES = KindReference(100, 50, (0.0,) * 5, (0.0,) * 5, intercept=1.0, slope=-0.5, kept_from_bits=2.0)
REFERENCE = Reference(
    "f", "unknown", "t", {"open class": FIGURES, EVERY: KindReference(**{**vars(FIGURES), "intercept": 0})}
)


def test_score_is_the_logistic_of_the_log_odds():
    found = REFERENCE.scores(["open class, rarer", "open class", "punctuation"], [4.0, -2.0, 0.0])
    assert found == pytest.approx([1 / (1 + math.e), 1 / (1 + math.exp(-2)), 0.5])


def test_score_falls_with_contribution_and_stays_in_range():
    found = REFERENCE.scores(["open class"] * 5, [-1e9, -3.0, 0.0, 3.0, 1e9])
    assert found == sorted(found, reverse=True)
    assert all(0 <= score <= 1 for score in found)


def test_where_a_word_was_lost_compares_with_its_kind():
    assert REFERENCE.lost_in(["open class", "open class"], [1.9, 2.0]) == ["encoder", "decoder"]


def test_json_both_ways():
    assert Reference.from_dict(json.loads(json.dumps(REFERENCE.to_dict()))) == REFERENCE


def test_fit_finds_the_posterior_of_two_gaussians():
    # Two Gaussians of equal variance: the log-odds are linear, -x (m1 - m0) / s^2 up to a constant, exactly.
    generator = np.random.default_rng(0)
    translated, left_out = generator.normal(8, 4, 20_000), generator.normal(0, 4, 5_000)
    rows = [(False, x, 1.0) for x in translated] + [(True, x, 1.0) for x in left_out]
    found = calibration._figures(rows)
    score = Reference("f", "unknown", "t", {EVERY: found}).scores([EVERY], [3.0])[0]
    exact = norm.pdf(3, 0, 4) / (norm.pdf(3, 0, 4) + norm.pdf(3, 8, 4))
    assert found.slope == pytest.approx(-8 / 16, rel=0.03)
    assert score == pytest.approx(exact, abs=0.01)  # standard error of 25,000 draws is about .005
    assert found.translated_bits[2] == pytest.approx(8, abs=0.1)


def words(text: str) -> Sentence:
    found, place = [], 0
    for part in text.split():
        start = text.index(part, place)
        found.append(Word(part, start, start + len(part)))
        place = start + len(part)
    return Sentence(text, (), (), (), words=tuple(found))


def test_a_cut_is_at_most_a_third_and_at_most_six_words():
    generator = random.Random(0)
    for length in range(3, 40):
        for _ in range(20):
            first, stop = cut_span(words(" ".join(["w"] * length)), generator)
            assert 0 <= first < stop <= length
            assert stop - first <= max(1, min(6, length // 3))


@pytest.mark.parametrize(
    ("span", "rest"), [((0, 1), "b c, d."), ((1, 2), "a c, d."), ((3, 4), "a b c,"), ((0, 2), "c, d.")]
)
def test_a_cut_leaves_clean_text(span, rest):
    assert without_span(words("a b c, d."), *span) == rest


class Fingerprint(TranslationModel):
    """A model that is asked for its fingerprint, and fails if it is asked to work."""

    fingerprint = "0123456789abcdef"
    words_by = "spaces"


def test_a_reference_is_kept_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = []

    def estimate(*_args, **_kwargs):
        made.append(1)
        return REFERENCE

    monkeypatch.setattr(stored_references, "estimate_reference", estimate)
    assert reference_for(Fingerprint(), ContributionMethod(), ["x"] * 200) == REFERENCE
    assert reference_for(Fingerprint(), ContributionMethod(), ["y"]) == REFERENCE
    assert made == [1]
    assert (
        reference_for(Fingerprint(), ContributionMethod(shortlist=9), ["y"]) == REFERENCE
    )  # another measure, few lines
    assert reference_for(Fingerprint(), ContributionMethod(shortlist=9), ["y"]) == REFERENCE
    assert made == [1, 1, 1]
    for file in tmp_path.rglob("*.json"):
        file.write_text("damaged")
    assert reference_for(Fingerprint(), ContributionMethod(), ["x"]) == REFERENCE
    assert made == [1, 1, 1, 1]


def test_too_few_sentences_borrow_a_shipped_reference(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(stored_references, "estimate_reference", lambda *_args, **_kwargs: None)
    found = reference_for(Fingerprint(), ContributionMethod(operator="delete"), ["x"])
    assert found.operator == "delete"
    assert found.model_fingerprint == stored_references.DEFAULT != Fingerprint.fingerprint
    assert "fewer than 30 sentences were given" in found.text
    assert not list(tmp_path.rglob("*.json"))


def test_shipped_references_compare_words_of_a_kind():
    # Origin: recipes/estimate_reference.py on NTREX lines 201 to 800; content words carry more than function words.
    found = stored_references._default("unknown")
    assert found.kinds["open class"].translated_bits[2] > 2 * found.kinds["closed class"].translated_bits[2] > 0
    assert all(kind.left_out_bits[2] < 0 for kind in found.kinds.values())
    assert all(kind.slope < 0 for kind in found.kinds.values())
