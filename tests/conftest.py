"""What the tests share: checked shapes in signatures, one thread, and one tiny model of each architecture a session."""

from functools import cache

import pytest
from jaxtyping import install_import_hook

# All but models/ssru.py: its configuration is a dataclass that takes more than its fields, which jaxtyping refuses.
MODELS = ("hooks", "layouts", "loading", "marian_binary", "marian_weights", "seq2seq", "subwords", "words")
CHECKED = ["nmt_ib.types", "nmt_ib.attribution", *(f"nmt_ib.models.{name}" for name in MODELS)]
install_import_hook(CHECKED, "beartype.beartype")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Name -> a tiny model in float64 and what is known of it; tests must leave it as it is."""
    import torch

    from tests.tiny_models import MODELS

    torch.set_num_threads(1)  # tiny matrices: on a busy machine two threads wait for each other, a hundred times slower
    return cache(lambda name: MODELS[name](tmp_path_factory.mktemp(name)))
