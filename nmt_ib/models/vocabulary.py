"""A tokenizer for a list of words, for models that read whitespace-separated words."""

from collections.abc import Iterable

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

PAD, UNKNOWN = "[PAD]", "[UNK]"


def word_tokenizer(words: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer whose pieces are whitespace-separated words.

    Args:
        words: The vocabulary; its ids start at 2, after padding (0) and the unknown word (1).

    Returns:
        A tokenizer that adds no special pieces to a sentence; `save_pretrained` saves it.
    """
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys([PAD, UNKNOWN, *words]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, unk_token=UNKNOWN)
