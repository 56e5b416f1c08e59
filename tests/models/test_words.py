"""Words by spacy: its tokenisers, languages under the names that models give them, pipelines that fail to load."""

import pytest
import spacy

from nmt_ib.models import words
from nmt_ib.models.words import WordSplitter, spacy_language


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("en", "en"),
        ("en_XX", "en"),
        ("eng_Latn", "en"),
        ("por_Latn", "pt"),
        ("PT-BR", "pt"),
        ("zho_Hans", "zh"),
        ("deu", "de"),
        ("xx", "xx"),
        (None, "xx"),
        ("", "xx"),
        ("tlh", "xx"),
        ("../en", "xx"),
    ],
)
def test_a_models_name_of_a_language(name, expected):
    assert spacy_language(name) == expected


@pytest.mark.parametrize("language", ["en", "pt", None])
def test_words_are_spacys_tokens(language):
    text = "  The house, isn't\u00a0red… l'eau\n12%  "
    expected = [token for token in spacy.blank(language or "xx")(text) if not token.is_space]
    found = WordSplitter(language).split(text)
    assert [(word.text, word.start, word.end, word.is_stop) for word in found] == [
        (token.text, token.idx, token.idx + len(token), token.is_stop) for token in expected
    ]
    assert all(text[word.start : word.end] == word.text for word in found)


def test_white_space_has_no_words():
    assert WordSplitter("en").split(" \n\t\u3000") == []
    assert WordSplitter("en").split("") == []


def test_function_words_are_marked():
    assert [word.is_stop for word in WordSplitter("en").split("the house")] == [True, False]
    assert [word.is_stop for word in WordSplitter("pt").split("de casa")] == [True, False]


def test_the_name_says_what_splits(monkeypatch):
    pipeline = spacy.blank("en", meta={"name": "news", "version": "3.1"})
    pipeline.add_pipe("attribute_ruler")
    monkeypatch.setattr(spacy.util, "get_installed_models", list)
    assert WordSplitter("en").name == f"spacy/en_blank-{spacy.__version__}"
    monkeypatch.setattr(spacy.util, "get_installed_models", lambda: ["en_news"])
    monkeypatch.setattr(spacy, "load", lambda name, **_: pipeline)
    assert WordSplitter("en").name == "spacy/en_news-3.1"


def test_a_pipeline_that_cannot_be_loaded_leaves_the_tokeniser(monkeypatch, caplog):
    monkeypatch.setattr(spacy.util, "get_installed_models", lambda: ["en_core_web_broken"])
    splitter = WordSplitter("en")
    assert [word.text for word in splitter.split("the house")] == ["the", "house"]
    assert "en_core_web_broken cannot be loaded" in caplog.text


def test_an_installed_pipeline_gives_parts_of_speech(monkeypatch):
    pipeline = spacy.blank("en")
    pipeline.add_pipe("attribute_ruler").add([[{"LOWER": "house"}]], {"POS": "NOUN"})
    monkeypatch.setattr(spacy.util, "get_installed_models", lambda: ["de_x", "en_x"])
    monkeypatch.setattr(spacy, "load", lambda name, **_: {"en_x": pipeline}[name])
    assert [word.pos for word in WordSplitter("en").split("the house")] == ["", "NOUN"]


def test_a_language_whose_tokeniser_is_missing_is_read_as_any(monkeypatch):
    real = spacy.blank

    def blank(language):
        if language == "th":
            raise ImportError("pythainlp")
        return real(language)

    monkeypatch.setattr(words.spacy, "blank", blank)
    assert WordSplitter("th").name.startswith("spacy/xx_")
