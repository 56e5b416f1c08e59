"""A checkpoint restores weights, optimizer and metadata; a damaged one is refused."""

import pytest
import torch
from torch import nn

from nmt_ib.checkpoint import load_checkpoint, save_checkpoint
from nmt_ib.errors import RequestError

METADATA = [{"number": 1, "bits": float("nan"), "las": 0.1 + 0.2}]


def trained(seed, steps=2):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
        inputs = torch.randn(5, 3)
    frozen = module[0].bias.requires_grad_(False)
    weights = [weight for weight in module.parameters() if weight is not frozen]
    optimizer = torch.optim.AdamW(weights, lr=0.1, betas=(0.9, 0.95))
    for _ in range(steps):
        optimizer.zero_grad()
        module(inputs).square().sum().backward()
        optimizer.step()
    return module, optimizer


def tensors(module, optimizer):
    moments = [state[key] for state in optimizer.state.values() for key in sorted(state)]
    return [*module.state_dict().values(), *moments]


@pytest.mark.parametrize("steps", [0, 2])
def test_everything_is_restored(tmp_path, steps):
    module, optimizer = trained(0, steps)
    save_checkpoint(tmp_path / "state", {"one": module, "two": nn.Linear(1, 1)}, optimizer, METADATA)
    other, fresh = trained(1, 0)
    (metadata,) = load_checkpoint(tmp_path / "state", {"one": other, "two": nn.Linear(1, 1)}, fresh)
    assert metadata["las"] == METADATA[0]["las"]
    assert metadata["bits"] != metadata["bits"]
    pairs = zip(tensors(module, optimizer), tensors(other, fresh), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_a_checkpoint_is_replaced_atomically(tmp_path, monkeypatch):
    module, optimizer = trained(0)
    path = tmp_path / "state.safetensors"
    save_checkpoint(path, {"one": module}, optimizer, [1])

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, {"one": module}, optimizer, [2])
    assert load_checkpoint(path, {"one": module}, optimizer) == [1]


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    module, optimizer = trained(0)
    path = tmp_path / "state.safetensors"
    save_checkpoint(path, {"one": nn.Linear(2, 2) if damage == "other" else module}, optimizer, [1])
    if damage != "other":
        path.write_bytes(path.read_bytes()[: 100 if damage == "cut" else 0])
    with pytest.raises(
        RequestError, match=r"state\.safetensors is damaged or belongs to another training run \(.*\): remove it"
    ):
        load_checkpoint(path, {"one": module}, optimizer)
