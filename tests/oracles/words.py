"""What must hold between the pieces and the words of any source, and words joined the slow way."""

from nmt_ib.types import Sentence


def check_words(sentence: Sentence) -> None:
    """Each piece has one word or none, each word a piece; words do not overlap and hold all characters of pieces."""
    text = sentence.text
    assert len(sentence.ids) == len(sentence.pieces) == len(sentence.spans) == len(sentence.word_index)
    assert set(sentence.word_index) - {-1} == set(range(len(sentence.words)))
    end = 0
    for word in sentence.words:
        assert end <= word.start < word.end <= len(text)
        assert word.text == text[word.start : word.end]
        end = word.end
    for (start, end), index in zip(sentence.spans, sentence.word_index, strict=True):
        assert 0 <= start <= end <= len(text)
        if index >= 0 and start < end:
            word = sentence.words[index]
            assert word.start <= start
            assert end <= word.end
    order = [index for index in sentence.word_index if index >= 0]
    assert order == sorted(order)


def joined(pieces: list[tuple[int, int]], words: list[tuple[int, int]]) -> list[set[int]]:
    """Groups of words: two words are together if a piece has characters of both, and so on along chains."""
    groups = [{index} for index in range(len(words))]
    for start, end in pieces:
        shared = {index for index, (first, last) in enumerate(words) if first < end and start < last}
        touched = [group for group in groups if group & shared]
        if touched:
            groups = [group for group in groups if group not in touched] + [set().union(*touched)]
    return sorted(groups, key=min)
