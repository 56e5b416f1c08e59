"""Files of an ELMo: damage is refused in one line. The weights that they hold are tested in test_elmo.py."""

import json
import shutil
import sys

import pytest

from nmt_ib.errors import RequestError
from nmt_ib.models.elmo_files import is_elmo, read_elmo

h5py = pytest.importorskip("h5py", reason="needs h5py: pip install 'nmt_ib[elmo]'")
from tests.tiny_elmo import write_elmo  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    return write_elmo(tmp_path)


def test_a_directory_is_an_elmo_or_not(folder, tmp_path_factory):
    assert is_elmo(folder)
    assert not is_elmo(tmp_path_factory.mktemp("empty"))
    assert not is_elmo("no/such/directory")


def change(folder, **settings):
    file = folder / "options.json"
    options = json.loads(file.read_text())
    options["lstm"] |= settings
    file.write_text(json.dumps(options))


def without(folder):
    with h5py.File(folder / "weights.hdf5", "a") as file:
        del file["CNN_proj/W_proj"]


BROKEN = {
    "no weights": (lambda folder: (folder / "weights.hdf5").rename(folder / "lm.hdf5"), r"\*weights.hdf5, found 0"),
    "two weights": (lambda folder: shutil.copy(folder / "weights.hdf5", folder / "my_weights.hdf5"), "found 2"),
    "options are no JSON": (lambda folder: (folder / "options.json").write_text("{"), "cannot read the options"),
    "an option is missing": (lambda folder: (folder / "options.json").write_text("{}"), "it lacks 'char_cnn'"),
    "options are a list": (lambda folder: (folder / "options.json").write_text("[]"), "cannot read the options"),
    "no skips": (lambda folder: change(folder, use_skip_connections=False), "expected .* use_skip_connections"),
    "another size": (lambda folder: change(folder, dim=11), "weights.hdf5 does not fit .*options.json: size mismatch"),
    "more layers": (lambda folder: change(folder, n_layers=4), "it lacks .*Cell3"),
    "no HDF5": (lambda folder: (folder / "weights.hdf5").write_bytes(b"no"), "cannot read the weights"),
    "a weight is missing": (without, "it lacks CNN_proj/W_proj"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_elmo_is_refused_in_one_line(folder, name):
    damage, message = BROKEN[name]
    damage(folder)
    with pytest.raises(RequestError, match=message) as error:
        read_elmo(folder)
    assert "\n" not in str(error.value)


def test_without_h5py_the_mend_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(RequestError, match=r"pip install 'nmt_ib\[elmo\]'"):
        read_elmo(folder)
