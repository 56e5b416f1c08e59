"""What the tests share: checked shapes in signatures, and one tiny model of each architecture a session."""

from functools import cache

import pytest
from jaxtyping import install_import_hook

install_import_hook(["nmt_ib.types", "nmt_ib.models", "nmt_ib.attribution"], "beartype.beartype")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Name -> a tiny random model in float64 and what is known of it; tests must leave it as it is."""
    from tests.tiny_models import MODELS

    return cache(lambda name: MODELS[name](tmp_path_factory.mktemp(name)))
