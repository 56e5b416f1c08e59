"""What the tests of loading share: models on disk, their settings, and requests that must be refused."""

from pathlib import Path

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.models.loading import load_translation_model

SETTINGS = {
    "marian": {},
    "marian-multilingual": {"target_language": "pt"},
    "ssru": {},
    "bart": {},
    "mbart-50": {"source_language": "pt_XX", "target_language": "en_XX"},
    "mbart-25": {"source_language": "en_XX", "target_language": "ro_RO"},
    "m2m100": {"source_language": "en", "target_language": "pt"},
    "nllb": {"source_language": "eng_Latn", "target_language": "por_Latn"},
    "t5": {"prefix": "The old, "},
    "t5-untied": {"prefix": ""},
    "mt5": {},
}
TEXT, TARGET = "The dog said: </s> it was easy.", "Um cão"


class Malicious:
    """A pickle that leaves a trace when it is read."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def save(model, folder):
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return folder


def scores(model):
    source, target = model.pad([model.tokenize_source(TEXT)]), model.pad([model.tokenize_target(TARGET)])
    encoded = model.encode(model.embed(source.ids), source.mask)
    return model.logits(model.decode(encoded, source.mask, target.ids).states)


def refused(name, message, load=load_translation_model, **settings):
    """Asserts that loading fails with one line that says `message`."""
    with pytest.raises(RequestError, match=message) as caught:
        load(name, **settings)
    assert "\n" not in str(caught.value)
