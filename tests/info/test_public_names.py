"""The public names of nmt_ib.info exist and are loaded on first use."""

import subprocess
import sys

import pytest

import nmt_ib.info


def test_every_public_name_exists():
    assert all(getattr(nmt_ib.info, name) is not None for name in nmt_ib.info.__all__)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = nmt_ib.info.nonsense


def test_the_package_loads_no_estimator():
    code = "import sys, nmt_ib.info\nassert not {'torch', 'numpy', 'sklearn', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
