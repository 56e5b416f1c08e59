"""Words of one kind, from the vocabulary or from a part of speech."""

from nmt_ib.types import Sentence, Word
from nmt_ib.word_classes import frequency_bands, word_classes, word_kinds


def sentence(*words: tuple[str, str, bool, tuple[int, ...]]) -> Sentence:
    ids = [piece for *_, pieces in words for piece in pieces]
    index = [number for number, (*_, pieces) in enumerate(words) for _ in pieces]
    made = tuple(Word(text, 0, len(text), pos, stop) for text, pos, stop, _ in words)
    return Sentence("", (*ids, 0), ("",) * (len(ids) + 1), (*index, -1), words=made)


def test_bands_follow_the_rank_of_single_pieces():
    found = frequency_bands(
        sentence(
            ("a", "", False, (99,)), ("b", "", False, (100,)), ("c", "", False, (9_999,)), ("d", "", False, (10_000,))
        )
    )
    assert found == ["top 100", "top 1,000", "top 10,000", "rarer"]


def test_a_word_of_several_pieces_is_rarer_than_any():
    assert frequency_bands(sentence(("ab", "", False, (5, 6)))) == ["rarer"]


def test_classes_without_a_pipeline():
    found = word_classes(
        sentence(
            ("!?", "", False, (500,)), ("over", "", True, (500,)), ("x", "", False, (50,)), ("sea", "", False, (500,))
        )
    )
    assert found == ["punctuation", "closed class", "closed class", "open class"]


def test_a_part_of_speech_decides_where_there_is_one():
    found = word_classes(sentence(("will", "NOUN", True, (50,)), ("upon", "ADP", False, (5_000,))))
    assert found == ["open class", "closed class"]


def test_punctuation_is_one_kind():
    found = word_kinds(sentence((",", "", False, (3,)), ("...", "", False, (3, 4)), ("sea", "", False, (500,))))
    assert found == ["punctuation", "punctuation", "open class, top 1,000"]
