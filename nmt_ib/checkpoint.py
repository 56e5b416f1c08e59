"""A training run's state in one file that is whole or not there: weights, optimiser and what has been seen."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nmt_ib.errors import RequestError


class Stateful(Protocol):
    """What has tensors to be kept: a module, or what offers as much."""

    def state_dict(self) -> dict[str, Tensor]:
        """Name -> tensor."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> object:
        """Puts the tensors back."""
        ...


def save_checkpoint(path: Path, modules: Mapping[str, Stateful], optimizer: torch.optim.Optimizer, facts: Any) -> None:
    """Writes a checkpoint over the one before.

    Args:
        path: A `.safetensors` file.
        modules: Name -> module whose tensors are kept.
        optimizer: Whose tensors are kept, too.
        facts: What else is to be known, as JSON has it.
    """
    tensors = {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": torch.as_tensor(value) for key, value in state.items()}
    contiguous = {key: value.contiguous() for key, value in tensors.items()}
    # Not save_file: on a full disk it raises no OSError.
    write_whole(path, save(contiguous, {"facts": json.dumps(facts)}))


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file that is whole or not there.

    Args:
        path: The file.
        data: What it holds.
    """
    unfinished = path.with_name(f"unfinished-{path.name}")
    unfinished.write_bytes(data)
    os.replace(unfinished, path)


def load_checkpoint(path: Path, modules: Mapping[str, Stateful], optimizer: torch.optim.Optimizer) -> Any:
    """Puts a checkpoint's tensors back.

    Args:
        path: What `save_checkpoint` wrote.
        modules: The same names, modules of the same shape.
        optimizer: Over the same parameters.

    Returns:
        The facts.

    Raises:
        RequestError: It is damaged, or of modules of another shape.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no dictionary
            facts = json.loads(file.metadata()["facts"])
        for name, module in modules.items():
            module.load_state_dict({key: tensors[f"{name}.{key}"] for key in module.state_dict()})
        optimizer.load_state_dict({**optimizer.state_dict(), "state": _states(tensors)})
    except (SafetensorError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RequestError(f"{path} is damaged, or another training's ({reason}): remove it to begin anew") from error
    return facts


def _states(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Number of each weight -> what the optimiser keeps of it."""
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, number, field = key.split(".", 2)
            states.setdefault(int(number), {})[field] = value
    return states
