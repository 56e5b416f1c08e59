"""Which lines a model can read, and why it cannot read the others."""

from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.types import Sentence

MAX_PIECE_CHARACTERS = 64  # characters: a text that is longer than all pieces together is not even tokenised


def read_source(model: EncoderModel, text: str) -> tuple[Sentence, str | None]:
    """The tokenised source, and why it cannot be analysed, if it cannot.

    Args:
        model: The model that is to read it.
        text: One sentence.

    Returns:
        The sentence, without pieces where it was not even tokenised; and the reason.
    """
    nothing = Sentence(text, (), (), ())
    if not is_unicode(text):
        return nothing, "not valid Unicode"
    if not text.strip():
        return nothing, "empty line"
    if len(text) > MAX_PIECE_CHARACTERS * model.max_source_pieces:
        return nothing, f"{len(text):,} characters; the model reads {model.max_source_pieces} pieces"
    source = model.tokenize_source(text)
    if not source.words:
        return source, "no words"
    if len(source) > model.max_source_pieces:
        return source, f"{len(source):,} pieces; the model reads {model.max_source_pieces}"
    return source, None


def read_target(model: TranslationModel, text: str) -> tuple[Sentence, str | None]:
    """The tokenised translation, and why the decoder cannot be forced to write it, if it cannot.

    Args:
        model: The model that is to write it.
        text: One sentence; an empty one is a translation that leaves everything out.

    Returns:
        The sentence, without pieces where it was not even tokenised; and the reason.
    """
    if not is_unicode(text):
        return Sentence(text, (), (), ()), "translation is not valid Unicode"
    target = model.tokenize_target(text)
    if len(target) > model.max_target_pieces:
        return target, f"translation of {len(target):,} pieces; the model reads {model.max_target_pieces}"
    return target, None


def is_unicode(text: str) -> bool:
    """False for a lone surrogate: no file holds one, but a Python string can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
