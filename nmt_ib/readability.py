"""Which lines a model can read, and why it cannot read the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from nmt_ib.errors import RequestError
from nmt_ib.protocols import EncoderModel, TranslationModel
from nmt_ib.requests import check_reads_targets
from nmt_ib.types import Sentence

MAX_PIECE_CHARACTERS = 64  # a text longer than this many characters for each piece the model reads is not tokenised


@dataclass(frozen=True)
class ReadPairs:
    """Lines that a model can read, tokenised, and the reasons why it cannot read the others.

    Attributes:
        indices: Indices of the readable lines, ascending.
        sources: The tokenised source of each readable line.
        targets: The tokenised translation of each readable line; None if no translations were given.
        skipped: Index of each other line -> why it cannot be read.
    """

    indices: list[int]
    sources: list[Sentence]
    targets: list[Sentence] | None
    skipped: dict[int, str]


def read_pairs(model: EncoderModel, sources: Sequence[str], targets: Sequence[str] | None = None) -> ReadPairs:
    """Tokenises sources, and their translations if given, and separates those that the model cannot read.

    Args:
        model: The model.
        sources: One sentence per line.
        targets: Translations that the decoder will be forced to write, one per source; None: none are read.

    Returns:
        The readable lines, and why the others are skipped.

    Raises:
        RequestError: Sources and targets differ in number, or the model reads no targets.
    """
    if targets is not None:
        check_reads_targets(model)
        if len(targets) != len(sources):
            raise RequestError(f"expected one target per source: {len(sources)} sources, {len(targets)} targets")
    pairs = ReadPairs([], [], None if targets is None else [], {})
    for index, text in enumerate(sources):
        source, reason = read_source(model, text)
        if reason is None and targets is not None and pairs.targets is not None:
            target, reason = read_target(cast(TranslationModel, model), targets[index])
            if reason is None:
                pairs.targets.append(target)
        if reason is None:
            pairs.indices.append(index)
            pairs.sources.append(source)
        else:
            pairs.skipped[index] = reason
    return pairs


def readable_sentences(model: EncoderModel, texts: Iterable[str]) -> list[Sentence]:
    """Tokenises texts and leaves out those that the model cannot read.

    Args:
        model: The model.
        texts: One sentence each.

    Returns:
        The readable sentences, in order.
    """
    results = (read_source(model, text) for text in texts)
    return [sentence for sentence, reason in results if reason is None]


def read_source(model: EncoderModel, text: str) -> tuple[Sentence, str | None]:
    """Tokenises a source and says why it cannot be analysed, if it cannot.

    Args:
        model: The model that reads it.
        text: One sentence.

    Returns:
        The sentence, without pieces if it was not tokenised; and the reason, or None.
    """
    untokenized = Sentence(text, (), (), ())
    if not is_unicode(text):
        return untokenized, "not valid Unicode"
    if not text.strip():
        return untokenized, "empty line"
    if len(text) > MAX_PIECE_CHARACTERS * model.max_source_pieces:
        return untokenized, f"{len(text):,} characters; the model reads {model.max_source_pieces} pieces"
    source = model.tokenize_source(text)
    if not source.words:
        return source, "no words"
    if len(source) > model.max_source_pieces:
        return source, f"{len(source):,} pieces; the model reads {model.max_source_pieces}"
    return source, None


def read_target(model: TranslationModel, text: str) -> tuple[Sentence, str | None]:
    """Tokenises a translation and says why the decoder cannot be forced to write it, if it cannot.

    Args:
        model: The model that is forced to write it.
        text: One sentence; may be empty.

    Returns:
        The sentence, without pieces if it was not tokenised; and the reason, or None.
    """
    if not is_unicode(text):
        return Sentence(text, (), (), ()), "translation is not valid Unicode"
    target = model.tokenize_target(text)
    if len(target) > model.max_target_pieces:
        return target, f"translation of {len(target):,} pieces; the model reads {model.max_target_pieces}"
    return target, None


def storable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot encode, replaced by "?"."""
    return text.encode("utf-8", "replace").decode()


def is_unicode(text: str) -> bool:
    """Whether a text can be encoded: lone surrogates, which Python strings can contain, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
