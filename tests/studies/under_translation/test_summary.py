"""The corpus summary, counted by hand."""

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.results.diagnosis import SentenceDiagnosis, Share, WordDiagnosis
from nmt_ib.studies.under_translation.summary import summarize

BANDS = ["top 1,000", "top 10,000", "top 100", "top 1,000", "rarer"]


def line(index: int, dropped: dict[int, str]) -> SentenceDiagnosis:
    """Five words of one piece each, the third of them punctuation."""
    words = tuple(
        WordDiagnosis(
            text="w", start=place, end=place + 1, contribution_bits=1.0, kept_bits=None, score=0.9,
            dropped=place in dropped, lost_in=dropped.get(place),
            word_class="punctuation" if place == 2 else "open class", frequency=band, pos="", pieces=1,
        )
        for place, band in enumerate(BANDS)
    )  # fmt: skip
    return SentenceDiagnosis(index, "s", "a b", False, -1.0, ("a", "b", "c", "</s>"), words)


LINES = [
    line(0, {}),
    line(1, {0: "encoder", 4: "decoder"}),
    SentenceDiagnosis(2, "", "", False, skipped="empty line"),
    line(3, {4: "decoder"}),
]


def test_counts():
    found = summarize(LINES)
    assert (found.sentences, found.skipped, found.words, found.dropped, found.sentences_with_drops) == (4, 1, 15, 3, 2)
    assert (found.lost_in_encoder, found.lost_in_decoder) == (1, 2)
    assert found.length_ratio == 0.6
    assert found.worst == (1, 3)
    assert found.metrics is None


def test_groups():
    found = summarize(LINES)
    assert found.by_part_of_speech == (Share("open class", 12, 3), Share("punctuation", 3, 0))
    assert found.by_frequency == (
        Share("top 100", 3, 0), Share("top 1,000", 6, 1), Share("top 10,000", 3, 0), Share("rarer", 3, 2)
    )  # fmt: skip
    assert [share.dropped for share in found.by_position] == [1, 0, 0, 0, 2]
    assert found.by_length == (Share("1 to 10 words", 15, 3),)


def test_metrics_are_sacrebleus():
    import sacrebleu

    references = [["a b", "a c", "", "a b"]]
    found = summarize(LINES, references).metrics
    hypotheses = [sentence.translation for sentence in LINES]
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(hypotheses, references).score, abs=1e-3)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(hypotheses, references).score, abs=1e-3)
    assert "version:" in found["bleu_signature"]


def test_references_of_another_length_are_refused():
    with pytest.raises(RequestError, match="3 lines of references for 4 sources"):
        summarize(LINES, [["a"] * 3])


def test_nothing_to_count():
    assert summarize([]).words == 0
