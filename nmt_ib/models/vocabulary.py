"""A tokenizer over a plain list of words, for models whose pieces are what stands between white space."""

from collections.abc import Iterable

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

PAD, UNKNOWN = "[PAD]", "[UNK]"


def word_tokenizer(words: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer whose pieces are what stands between white space.

    Args:
        words: The vocabulary; their ids count from 2 on, after padding (0) and the unknown word (1).

    Returns:
        A tokenizer without special pieces around a sentence; `save_pretrained` keeps it.
    """
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys([PAD, UNKNOWN, *words]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, unk_token=UNKNOWN)
