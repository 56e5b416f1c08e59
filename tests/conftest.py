"""What the tests share: options, checked shapes in signatures, one thread, and one tiny model of each architecture."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

import tests.checked_types

PACKAGE = Path(__file__).parents[1] / "nmt_ib"


def checked_modules() -> list[str]:
    """Modules whose annotations are checked at run time: all."""
    names = (".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))
    return [name for name in names if not name.endswith("__init__")]


install_import_hook(checked_modules(), f"{tests.checked_types.__name__}.checked")
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")
    parser.addoption("--gpu", action="store_true", help="run the tests marked gpu, too; they need CUDA")


def pytest_collection_modifyitems(config, items):
    """Skips what was not asked for, and says which option asks for it."""
    skipped = {"slow": "slow: run with --slow", "gpu": "needs a CUDA device: run with --gpu"}
    for item in items:
        for marker, reason in skipped.items():
            if item.get_closest_marker(marker) and not config.getoption(f"--{marker}"):
                item.add_marker(pytest.mark.skip(reason=reason))


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
