"""What a decoder reads first, and what a tokenizer is told, against the documented inputs of each architecture."""

import copy

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.models.languages import decoder_prefix, set_languages_, target_code

MULTILINGUAL = {
    "mbart-50": ("</s>", "en_XX"),
    "mbart-25": ("ro_RO",),
    "m2m100": ("</s>", "__pt__"),
    "nllb": ("</s>", "por_Latn"),
}
LANGUAGES = {
    "mbart-50": ("pt_XX", "en_XX"),
    "mbart-25": ("en_XX", "ro_RO"),
    "m2m100": ("en", "pt"),
    "nllb": ("eng_Latn", "por_Latn"),
}


@pytest.fixture
def parts(tiny_model):
    """Name -> network, and a tokenizer that may be changed."""
    return lambda name: (tiny_model(name).model.model, copy.deepcopy(tiny_model(name).model.tokenizer))


@pytest.mark.parametrize("name", MULTILINGUAL)
def test_a_multilingual_decoder_reads_the_language_first(parts, name):
    network, tokenizer = parts(name)
    prefix = decoder_prefix(network, tokenizer, LANGUAGES[name][1])
    assert tuple(tokenizer.convert_ids_to_tokens(prefix)) == MULTILINGUAL[name]


@pytest.mark.parametrize("name", ["marian", "bart", "t5", "ssru"])
def test_other_decoders_read_the_start_piece(parts, tiny_model, name):
    network, tokenizer = parts(name)
    prefix = decoder_prefix(network, tokenizer, None)
    assert tuple(tokenizer.convert_ids_to_tokens(prefix)) == tiny_model(name).start


@pytest.mark.parametrize("name", LANGUAGES)
def test_languages_are_set(parts, name):
    _, tokenizer = parts(name)
    set_languages_(tokenizer, "x", *LANGUAGES[name])
    assert (tokenizer.src_lang, tokenizer.tgt_lang) == LANGUAGES[name]


@pytest.mark.parametrize("languages", [(None, "por_Latn"), ("eng_Latn", None), ("", ""), ("eng_Latn", "the")])
def test_a_missing_or_unknown_language_changes_nothing(parts, languages):
    _, tokenizer = parts("nllb")
    before = (tokenizer.src_lang, tokenizer.tgt_lang)
    with pytest.raises(RequestError, match="^x(: its tokenizer does not know| needs source_language)"):
        set_languages_(tokenizer, "x", *languages)
    assert (tokenizer.src_lang, tokenizer.tgt_lang) == before


def test_a_model_of_several_target_languages_reads_a_code(parts):
    _, tokenizer = parts("marian-multilingual")
    assert tokenizer.convert_ids_to_tokens(target_code(tokenizer, "x", "pt")) == [">>pt<<"]
    for target in (None, "de", ">>pt<<"):
        with pytest.raises(RequestError, match=f"x writes several languages: .* es, pt; given: {target}"):
            target_code(tokenizer, "x", target)


def test_a_model_of_one_target_language_reads_none(parts):
    for name in ("marian", "bart", "nllb"):
        assert target_code(parts(name)[1], "x", "pt") == []
