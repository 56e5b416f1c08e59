"""What the tests share: checked shapes in signatures, one thread, and one tiny model of each architecture a session."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

import nmt_ib

ROOT = Path(nmt_ib.__file__).parent
# Not models/loading.py, which itself refuses what is not a model; of data, only the files with arrays.
MODELS = [path.stem for path in (ROOT / "models").glob("*.py") if path.stem not in {"__init__", "loading"}]
CHECKED = [
    "nmt_ib.attribution",
    "nmt_ib.compression",
    "nmt_ib.info",
    "nmt_ib.parsing",
    "nmt_ib.types",
    "nmt_ib.data.images",
    "nmt_ib.data.tables",
    *(f"nmt_ib.models.{name}" for name in MODELS),
]
install_import_hook(CHECKED, "beartype.beartype")
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small matrices: on a busy machine two threads wait for each other, up to a hundred times slower than one."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Name -> a tiny model in float64 and what is known of it; tests must leave it as it is."""
    from tests.tiny_models import MODELS

    return cache(lambda name: MODELS[name](tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory):
    """Name -> a tiny encoder or classifier in float64; tests must leave it as it is."""
    from tests.tiny_encoders import ENCODERS

    return cache(lambda name: ENCODERS[name](tmp_path_factory.mktemp(name)))
