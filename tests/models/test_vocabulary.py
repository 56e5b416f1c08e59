"""A tokenizer for a list of words."""

import pytest
from transformers import AutoTokenizer

from nmt_ib.models.vocabulary import word_tokenizer

WORDS = ("the", "dog", "dog's", "the", "green")


@pytest.fixture(params=["new", "saved"])
def tokenizer(request, tmp_path):
    tokenizer = word_tokenizer(WORDS)
    if request.param == "new":
        return tokenizer
    tokenizer.save_pretrained(tmp_path)
    return AutoTokenizer.from_pretrained(tmp_path)


def test_ids_count_distinct_words_after_padding_and_the_unknown_word(tokenizer):
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id, len(tokenizer)) == (0, 1, 6)
    assert tokenizer.convert_tokens_to_ids(["the", "dog", "dog's", "green"]) == [2, 3, 4, 5]


def test_pieces_are_whitespace_separated_words(tokenizer):
    assert tokenizer("the  dog's\tDOG,\ngreen").input_ids == [2, 4, 1, 5]
    assert tokenizer("").input_ids == []
