"""Small networks and a task of 64 patterns."""

import numpy as np
import torch

from nmt_ib.networks.batched import BatchedNetworks, NetworkTraining
from nmt_ib.networks.experiments import Experiment
from nmt_ib.networks.snapshots import EstimatorSettings, NetworkSnapshot
from nmt_ib.networks.tasks import PlaneTask


def few_patterns(seeds):
    """All 64 patterns of six bits; Y is whether most of them are set."""
    inputs = torch.from_numpy((np.arange(64)[:, None] >> np.arange(6) & 1).astype(np.float32))
    targets = torch.nn.functional.one_hot((inputs.sum(1) > 3).long(), 2).float()
    rows = torch.arange(64).expand(len(seeds), -1)
    return PlaneTask(inputs[None], targets[None], rows[:, :48], rows[:, 48:])


SMALL = Experiment(NetworkTraining((6, 5, 3, 2), batch_size=16, learning_rate=0.01), few_patterns, 30)


def snapshot_of(training, task, settings=None, seeds=(0,)):
    """Untrained networks."""
    networks = BatchedNetworks(training, seeds, dtype=task.inputs.dtype)
    return NetworkSnapshot(networks, task, settings or EstimatorSettings(), seeds, 0)
