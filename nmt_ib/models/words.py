"""Splits sentences into words with spaCy: a trained pipeline if one is installed, else the language's tokeniser."""

import importlib.util
import logging
import re
from functools import cached_property

import spacy
from spacy.about import __version__ as spacy_version
from spacy.language import Language

from nmt_ib.types import Word

UNNEEDED = ("parser", "ner", "lemmatizer", "senter", "entity_linker", "entity_ruler", "textcat")
logger = logging.getLogger(__name__)


class WordSplitter:
    """Splits text of one language into words, with parts of speech if a trained pipeline is installed.

    Args:
        language: ISO 639-1 code, or another code of the language (`eng_Latn` for `en`); None: any language.
    """

    def __init__(self, language: str | None) -> None:
        self.language = spacy_language(language)

    @cached_property
    def name(self) -> str:
        """Name and version of the pipeline, for the run's signature."""
        meta = self._pipeline.meta
        if not self._pipeline.pipe_names:  # a bare tokeniser has the version of spaCy itself
            return f"spacy/{meta['lang']}_blank-{spacy_version}"
        return f"spacy/{meta['lang']}_{meta['name']}-{meta['version']}"

    @cached_property
    def _pipeline(self) -> Language:
        names = sorted(name for name in spacy.util.get_installed_models() if name.split("_")[0] == self.language)
        for name in names:
            try:
                return spacy.load(name, exclude=UNNEEDED)
            except (OSError, ValueError) as error:  # made for another version: the tokeniser is enough
                logger.warning("the spaCy pipeline %s cannot be loaded (%s)", name, error)
        try:
            return spacy.blank(self.language)
        except ImportError:  # the tokenisers of some languages need more packages
            return spacy.blank("xx")

    def split(self, text: str) -> list[Word]:
        """The words of a text in order, without white space.

        Args:
            text: One sentence, any characters.

        Returns:
            Words with their character spans.
        """
        return [
            Word(token.text, token.idx, token.idx + len(token), token.pos_, token.is_stop)
            for token in self._pipeline(text)
            if not token.is_space
        ]


def whitespace_words(text: str) -> list[Word]:
    """Whitespace-separated words.

    Args:
        text: One sentence.

    Returns:
        Words with their character spans.
    """
    return [Word(match.group(), *match.span()) for match in re.finditer(r"\S+", text)]


def spacy_language(language: str | None) -> str:
    """SpaCy's code of a language that a model calls `en`, `eng_Latn` or `en_XX`.

    Args:
        language: The model's code, if it has one.

    Returns:
        A code that `spacy.blank` knows; "xx" (any language) if there is none.
    """
    code = (language or "xx").replace("_", "-").split("-")[0].lower()
    if not code.isalpha():
        return "xx"
    if importlib.util.find_spec(f"spacy.lang.{code}"):
        return code
    try:
        return spacy.util.find_matching_language(code) or "xx"  # three-letter codes; None for spaCy's own codes
    except ValueError:
        return "xx"
