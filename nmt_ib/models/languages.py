"""Which pieces tell a translation model its languages."""

from typing import cast

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt_ib.errors import RequestError
from nmt_ib.models.layouts import Seq2SeqLayout


def decoder_prefix(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    layout: Seq2SeqLayout,
    *,
    name: str,
    source: str | None,
    target: str | None,
) -> list[int]:
    """Ids that the decoder reads before the first piece of a translation; sets the tokenizer's languages.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        layout: Its architecture.
        name: What the user called it.
        source: Language of the sources.
        target: Language of the targets.

    Returns:
        The start piece, and the language where one is forced.

    Raises:
        RequestError: A language is missing or unknown to the tokenizer.
    """
    start = model.config.decoder_start_token_id
    if not layout.languages:
        forced = model.generation_config.forced_bos_token_id
        return [start] if forced is None else [start, forced]
    if not source or not target:
        raise RequestError(
            f"{name} needs source_language and target_language (--source-language, --target-language), "
            "named as its tokenizer names them: en and pt for M2M100, eng_Latn and por_Latn for NLLB, "
            "en_XX and pt_XX for mBART"
        )
    _language_id(tokenizer, name, source)
    language = _language_id(tokenizer, name, target)
    tokenizer.src_lang, tokenizer.tgt_lang = source, target
    neutral = (tokenizer.eos_token_id, tokenizer.bos_token_id, model.config.pad_token_id)
    return [start, language] if start in neutral else [language]


def _language_id(tokenizer: PreTrainedTokenizerBase, name: str, language: str) -> int:
    # Words can have pieces of the same name: M2M100 has the piece "en" beside the language "en".
    if language in tokenizer.all_special_tokens:
        return cast(int, tokenizer.convert_tokens_to_ids(language))
    codes = getattr(tokenizer, "lang_code_to_id", {})
    if language not in codes:
        raise RequestError(f"{name}: its tokenizer does not know the language {language!r}")
    return codes[language]


def target_code(tokenizer: PreTrainedTokenizerBase, name: str, target: str | None) -> list[int]:
    """The piece before each source that tells a Marian model of several target languages which one to write.

    Args:
        tokenizer: The model's.
        name: What the user called the model.
        target: Language of the targets.

    Returns:
        One id, or none where the model writes one language.

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
