"""Tiny models in directories, as a user would name them."""

from functools import cache

import pytest


@pytest.fixture(scope="session")
def saved(tiny_model, tiny_encoder, tmp_path_factory):
    """Name of a tiny model -> a directory in Hugging Face form."""

    @cache
    def save(name):
        model = tiny_model(name).model if name == "marian" else tiny_encoder(name)
        folder = tmp_path_factory.mktemp("models") / name
        model.model.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        return str(folder)

    return save
