"""The pieces that tell a multilingual translation model its languages."""

from typing import cast

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt_ib.errors import RequestError


def set_languages_(tokenizer: PreTrainedTokenizerBase, name: str, source: str | None, target: str | None) -> None:
    """Sets the languages of a multilingual tokenizer, in place.

    Args:
        tokenizer: Tokenizer of mBART, M2M100 or NLLB.
        name: Name of the model, for errors.
        source: Language of the sources.
        target: Language of the targets.

    Raises:
        RequestError: A language is missing or unknown to the tokenizer.
    """
    if not source or not target:
        raise RequestError(
            f"{name} needs source_language and target_language (--source-language, --target-language), "
            "named as its tokenizer names them: en and pt for M2M100, eng_Latn and por_Latn for NLLB, "
            "en_XX and pt_XX for mBART"
        )
    for language in (source, target):
        if _language_id(tokenizer, language) is None:
            raise RequestError(f"{name}: its tokenizer does not know the language {language!r}")
    tokenizer.src_lang, tokenizer.tgt_lang = source, target


def decoder_prefix(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, target: str | None) -> list[int]:
    """Ids that the decoder reads before the first piece of a translation.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        target: Language of the targets that `set_languages_` accepted; None: the model is not multilingual.

    Returns:
        The start piece, and the piece of the target language if one is forced.
    """
    start = model.config.decoder_start_token_id
    if target is None:
        forced = model.generation_config.forced_bos_token_id
        return [start] if forced is None else [start, forced]
    language = cast(int, _language_id(tokenizer, target))
    neutral = (tokenizer.eos_token_id, tokenizer.bos_token_id, model.config.pad_token_id)
    return [start, language] if start in neutral else [language]


def _language_id(tokenizer: PreTrainedTokenizerBase, language: str) -> int | None:
    # Ordinary pieces can be spelled like a language: M2M100 has a piece "en" besides the language "en".
    if language in tokenizer.all_special_tokens:
        return cast(int, tokenizer.convert_tokens_to_ids(language))
    return getattr(tokenizer, "lang_code_to_id", {}).get(language)


def target_code(tokenizer: PreTrainedTokenizerBase, name: str, target: str | None) -> list[int]:
    """The piece that tells a Marian model of several target languages which one to write; it precedes each source.

    Args:
        tokenizer: Tokenizer of the model.
        name: Name of the model, for errors.
        target: Language of the targets.

    Returns:
        One id, or none if the model writes one language only.

    Raises:
        RequestError: The language is missing or unknown.
    """
    codes = getattr(tokenizer, "supported_language_codes", [])
    if len(codes) < 2:
        return []
    if f">>{target}<<" not in codes:
        raise RequestError(
            f"{name} writes several languages: pass target_language (--target-language), one of "
            f"{', '.join(code[2:-2] for code in codes)}; given: {target}"
        )
    return [cast(int, tokenizer.convert_tokens_to_ids(f">>{target}<<"))]
