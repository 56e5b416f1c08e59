"""Reads the two files of an ELMo that AllenNLP publishes: options (JSON) and weights (HDF5)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nmt_ib.errors import RequestError
from nmt_ib.models.elmo import ACTIVATIONS, BidirectionalLanguageModel, ElmoShape

OPTIONS, WEIGHTS = "*options.json", "*weights.hdf5"


def is_elmo(folder: str | Path) -> bool:
    """Whether a directory looks like an ELMo: it has options and weights."""
    return any(Path(folder).glob(OPTIONS)) and any(Path(folder).glob("*.hdf5"))


def read_elmo(folder: str | Path) -> BidirectionalLanguageModel:
    """The network in a directory.

    Args:
        folder: Directory with one file whose name ends in `options.json` and one in `weights.hdf5`.

    Returns:
        The network in evaluation mode, float32.

    Raises:
        RequestError: A file is missing, damaged or not that of an ELMo.
    """
    options, weights = (_only(Path(folder), pattern) for pattern in (OPTIONS, WEIGHTS))
    shape = _read_shape(options)
    model = BidirectionalLanguageModel(shape)
    try:
        model.load_state_dict(_read_weights(weights, shape))
    except RuntimeError as error:  # the first line of the message only names the class
        reason = str(error).splitlines()[-1].strip()
        raise RequestError(f"{weights} does not fit {options}: {reason}") from error
    return model.eval().requires_grad_(False)


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise RequestError(f"{folder} is not an ELMo: expected one file {pattern}, found {len(found)}")
    return found[0]


def _read_shape(path: Path) -> ElmoShape:
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
        characters, lstm = options["char_cnn"], options["lstm"]
        shape = ElmoShape(
            character_width=int(characters["embedding"]["dim"]),
            filters=tuple((int(width), int(count)) for width, count in characters["filters"]),
            activation=str(characters["activation"]),
            highways=int(characters["n_highway"]),
            max_characters=int(characters["max_characters_per_token"]),
            layers=int(lstm["n_layers"]),
            cell=int(lstm["dim"]),
            projection=int(lstm["projection_dim"]),
            cell_clip=float(lstm["cell_clip"]),
            projection_clip=float(lstm["proj_clip"]),
        )
        residual = lstm["use_skip_connections"]
    except KeyError as error:
        raise RequestError(f"{path} does not hold the options of an ELMo: it lacks {error}") from error
    except (OSError, ValueError, TypeError) as error:
        raise RequestError(f"cannot read the options of an ELMo in {path}: {error}") from error
    if shape.activation not in ACTIVATIONS or not residual:
        raise RequestError(
            f"{path}: expected the activation {' or '.join(ACTIVATIONS)} and use_skip_connections, "
            f"found {shape.activation!r} and {residual}"
        )
    return shape


def _read_weights(path: Path, shape: ElmoShape) -> dict[str, torch.Tensor]:
    try:
        import h5py
    except ImportError as error:
        raise RequestError(f"reading {path} needs the package h5py: pip install 'nmt_ib[elmo]'") from error
    try:
        with h5py.File(path, "r") as file:
            return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in _named(file, shape)}
    except (OSError, KeyError, ValueError, TypeError) as error:  # h5py raises all of these for damaged files
        raise RequestError(f"cannot read the weights of an ELMo in {path}: {str(error).strip(chr(39))}") from error


def _named(file: Any, shape: ElmoShape) -> Iterator[tuple[str, np.ndarray]]:
    """Our name of each weight, and the array transposed from TensorFlow's order of axes to torch's."""

    def array(name: str) -> np.ndarray:
        if name not in file:  # h5py's own error does not contain the name
            raise KeyError(f"it lacks {name}")
        return file[name][:]

    yield "characters.embedding.weight", array("char_embed")
    for index in range(len(shape.filters)):
        yield f"characters.convolutions.{index}.weight", array(f"CNN/W_cnn_{index}")[0].transpose(2, 1, 0)
        yield f"characters.convolutions.{index}.bias", array(f"CNN/b_cnn_{index}")
    for index in range(shape.highways):
        for part in ("transform", "carry"):
            yield f"characters.highways.{index}.{part}.weight", array(f"CNN_high_{index}/W_{part}").T
            yield f"characters.highways.{index}.{part}.bias", array(f"CNN_high_{index}/b_{part}")
    yield "characters.projection.weight", array("CNN_proj/W_proj").T
    yield "characters.projection.bias", array("CNN_proj/b_proj")
    for index in range(shape.layers):
        cells = [f"RNN_{direction}/RNN/MultiRNNCell/Cell{index}/LSTMCell" for direction in (0, 1)]
        for ours, theirs in (("kernel", "W_0"), ("bias", "B"), ("projection", "W_P_0")):
            yield f"layers.{index}.{ours}", np.stack([array(f"{cell}/{theirs}") for cell in cells])
