"""The words of a sentence, by spacy: a pipeline where one is installed, else the language's tokeniser."""

import importlib.util
import logging
import re
from functools import cached_property

import spacy
from spacy.language import Language

from nmt_ib.types import Word

UNNEEDED = ("parser", "ner", "lemmatizer", "senter", "entity_linker", "entity_ruler", "textcat")
logger = logging.getLogger(__name__)


class WordSplitter:
    """Splits text of one language into words, with parts of speech where a trained pipeline is installed.

    Args:
        language: ISO 639-1 code, or a longer name that begins with one (`eng_Latn` counts as `en`); None: any language.
    """

    def __init__(self, language: str | None) -> None:
        self.language = spacy_language(language)

    @cached_property
    def name(self) -> str:
        """What does the work, for the run's signature."""
        meta = self._pipeline.meta
        if not self._pipeline.pipe_names:  # a bare tokeniser changes with spacy itself
            return f"spacy/{meta['lang']}_blank-{spacy.__version__}"
        return f"spacy/{meta['lang']}_{meta['name']}-{meta['version']}"

    @cached_property
    def _pipeline(self) -> Language:
        names = sorted(name for name in spacy.util.get_installed_models() if name.split("_")[0] == self.language)
        for name in names:
            try:
                return spacy.load(name, exclude=UNNEEDED)
            except (OSError, ValueError) as error:  # made for another spacy: its tokeniser alone serves as well
                logger.warning("the spacy pipeline %s cannot be loaded (%s)", name, error)
        try:
            return spacy.blank(self.language)
        except ImportError:  # some languages' tokenisers need packages of their own
            return spacy.blank("xx")

    def split(self, text: str) -> list[Word]:
        """The words of `text` in order, white space left out.

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


def blank_words(text: str) -> list[Word]:
    """Words that blanks tell apart.

    Args:
        text: One sentence.

    Returns:
        Words with their character spans.
    """
    return [Word(found.group(), *found.span()) for found in re.finditer(r"\S+", text)]


def spacy_language(language: str | None) -> str:
    """Spacy's code for a language that a model calls `en`, `eng_Latn`, `en_XX` or not at all.

    Args:
        language: The model's name of it.

    Returns:
        A code that `spacy.blank` knows; "xx" (any language) where there is none.
    """
    code = (language or "xx").replace("_", "-").split("-")[0].lower()
    if not code.isalpha():
        return "xx"
    if importlib.util.find_spec(f"spacy.lang.{code}"):
        return code
    try:
        return spacy.util.find_matching_language(code) or "xx"  # three-letter codes; says None to spacy's own
    except ValueError:
        return "xx"
