"""Words of one kind: what a word's contribution is compared with."""

from nmt_ib.types import Sentence

CLOSED_CLASSES = {"ADP", "AUX", "CCONJ", "DET", "PART", "PRON", "SCONJ"}
BANDS = {100: "top 100", 1_000: "top 1,000", 10_000: "top 10,000"}
RARE = "rarer"
CLASSES = ("open class", "closed class", "punctuation")


def frequency_bands(sentence: Sentence) -> list[str]:
    """For each word the band of its rank in the model's vocabulary.

    Vocabularies list frequent pieces first. A word of several pieces has no rank of its own: it is rarer than any.

    Args:
        sentence: A tokenised source.

    Returns:
        "top 100", "top 1,000", "top 10,000" or "rarer", one a word.
    """
    ranks: list[list[int]] = [[] for _ in sentence.words]
    for word, rank in zip(sentence.word_index, sentence.ids, strict=True):
        if word >= 0:
            ranks[word].append(rank)
    return [_band(pieces) for pieces in ranks]


def _band(pieces: list[int]) -> str:
    if len(pieces) > 1:
        return RARE
    return next((name for limit, name in BANDS.items() if pieces[0] < limit), RARE)


def word_classes(sentence: Sentence) -> list[str]:
    """For each word whether it is of an open or a closed class, or punctuation.

    The part of speech decides where a spacy pipeline gave one; else the language's list of function words, and the
    hundred most frequent pieces, which are mostly function words where the
    vocabulary is of one or two languages.

    Args:
        sentence: A tokenised source.

    Returns:
        One of `CLASSES`, one a word.
    """
    classes = []
    for word, band in zip(sentence.words, frequency_bands(sentence), strict=True):
        if not any(character.isalnum() for character in word.text):
            classes.append("punctuation")
        elif word.pos in CLOSED_CLASSES or (not word.pos and (word.is_stop or band == BANDS[100])):
            classes.append("closed class")
        else:
            classes.append("open class")
    return classes


def word_kinds(sentence: Sentence) -> list[str]:
    """For each word its kind: class and frequency band; punctuation is one kind.

    Args:
        sentence: A tokenised source.

    Returns:
        For example "open class, top 10,000", one a word.
    """
    return [
        name if name == "punctuation" else f"{name}, {band}"
        for name, band in zip(word_classes(sentence), frequency_bands(sentence), strict=True)
    ]
