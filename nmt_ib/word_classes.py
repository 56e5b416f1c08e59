"""Classes and frequency bands of words, within which contributions and bits are compared."""

from nmt_ib.types import Sentence

CLOSED_CLASSES = {"ADP", "AUX", "CCONJ", "DET", "PART", "PRON", "SCONJ"}
BANDS = {100: "top 100", 1_000: "top 1,000", 10_000: "top 10,000"}
RARE = "rarer"
CLASSES = ("open class", "closed class", "punctuation")


def frequency_bands(sentence: Sentence) -> list[str]:
    """The frequency band of each word, from its rank in the model's vocabulary.

    Vocabularies list frequent pieces first. A word of several pieces has no rank and is in the rarest band.

    Args:
        sentence: A tokenised source.

    Returns:
        "top 100", "top 1,000", "top 10,000" or "rarer" for each word.
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
    """The class of each word: open class, closed class or punctuation.

    Part-of-speech tags decide if a spacy pipeline is installed. Otherwise closed-class words are those in the
    language's list of function words and the hundred most frequent pieces, which are mostly function words if the
    vocabulary covers one or two languages.

    Args:
        sentence: A tokenised source.

    Returns:
        One of `CLASSES` for each word.
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
    """The kind of each word: its class and frequency band; punctuation is one kind.

    Args:
        sentence: A tokenised source.

    Returns:
        A kind for each word, for example "open class, top 10,000".
    """
    return [
        name if name == "punctuation" else f"{name}, {band}"
        for name, band in zip(word_classes(sentence), frequency_bands(sentence), strict=True)
    ]
