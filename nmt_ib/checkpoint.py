"""The state of a training run in one file, written atomically: weights, optimizer state and metadata."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.files import write_bytes


@runtime_checkable
class Stateful(Protocol):
    """Anything with a state of tensors: a module, or an object with the same two methods."""

    def state_dict(self) -> dict[str, Tensor]:
        """Name -> tensor."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> object:
        """Restores the tensors."""
        ...


def save_checkpoint(
    path: Path, modules: Mapping[str, Stateful], optimizer: torch.optim.Optimizer, metadata: Any
) -> None:
    """Writes a checkpoint, which replaces the previous one.

    Args:
        path: A `.safetensors` file.
        modules: Name -> module whose tensors are saved.
        optimizer: The optimizer whose state is saved.
        metadata: Anything else that is needed to resume; JSON-serialisable.
    """
    tensors = {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": torch.as_tensor(value) for key, value in state.items()}
    contiguous = {key: value.contiguous() for key, value in tensors.items()}
    # Not save_file: on a full disk it does not raise OSError.
    write_bytes(path, save(contiguous, {"metadata": json.dumps(metadata)}))


def load_checkpoint(path: Path, modules: Mapping[str, Stateful], optimizer: torch.optim.Optimizer) -> Any:
    """Restores modules and optimizer from a checkpoint.

    Args:
        path: A file that `save_checkpoint` wrote.
        modules: Modules of the same names and shapes as when it was saved.
        optimizer: An optimizer over the same parameters.

    Returns:
        The metadata.

    Raises:
        RequestError: The file is damaged, or of modules of other shapes.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is not a dictionary
            metadata = json.loads(file.metadata()["metadata"])
        for name, module in modules.items():
            module.load_state_dict({key: tensors[f"{name}.{key}"] for key in module.state_dict()})
        optimizer.load_state_dict({**optimizer.state_dict(), "state": _optimizer_states(tensors)})
    except (SafetensorError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RequestError(
            f"{path} is damaged or belongs to another training run ({reason}): remove it to start again"
        ) from error
    return metadata


def _optimizer_states(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Index of each parameter -> the optimizer's state of it."""
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, number, field = key.split(".", 2)
            states.setdefault(int(number), {})[field] = value
    return states
