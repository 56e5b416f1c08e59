"""How much time does it save to train many small networks at once? And what does a measured epoch cost?

The network of Shwartz-Ziv & Tishby (2017), batches of 512, processor seconds of one thread: one network after another
as ordinary modules with autograd and torch.optim, one after another as a batch of one, and all in batches of ten. Then
the estimators on its six layers, 4,096 inputs each.

    python recipes/benchmark_plane.py --seeds 50
"""

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from nmt_ib.networks.batched import BatchedNetworks
from nmt_ib.networks.estimators import ESTIMATORS
from nmt_ib.networks.experiments import EXPERIMENTS, SZT
from nmt_ib.networks.snapshots import NetworkSnapshot
from nmt_ib.networks.tasks import PlaneTask, sphere_task
from nmt_ib.studies.planes.networks import groups

WHOLE = 8000


def seconds_of(work: Callable[[], object], repetitions: int) -> float:
    """Processor seconds of one repetition, the fastest of three rounds."""
    work()
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(repetitions):
            work()
        rounds.append((time.process_time() - start) / repetitions)
    return min(rounds)


def batched(seeds: range, repetitions: int) -> float:
    """Seconds of one epoch of networks that are trained at once."""
    task = sphere_task(seeds)
    networks = BatchedNetworks(EXPERIMENTS["szt"].training, seeds)
    return seconds_of(lambda: networks.epoch(task.inputs, task.targets, task.train), repetitions)


def ordinary(task: PlaneTask, repetitions: int) -> float:
    """Seconds of one epoch of one network as torch's users write it."""
    training = EXPERIMENTS["szt"].training
    layers = [layer for below, above in pairwise(SZT) for layer in (nn.Linear(below, above), nn.Tanh())][:-1]
    module = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(module.parameters(), training.learning_rate)
    inputs, labels = task.inputs[0, task.train[0]], task.targets[0, task.train[0]].argmax(1)

    def epoch() -> None:
        for chosen in torch.randperm(len(inputs)).split(training.batch_size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()

    return seconds_of(epoch, repetitions)


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50, help="networks")
    parser.add_argument("--repetitions", type=int, default=20, help="epochs that are timed, three times")
    parser.add_argument("--estimators", nargs="*", default=["binning", "kde", "sp"])
    parser.add_argument("--smoke", action="store_true", help="2 networks, 1 epoch, binning")
    options = parser.parse_args()
    if options.smoke:
        options.seeds, options.repetitions, options.estimators = 2, 1, ["binning"]
    torch.set_num_threads(1)
    seeds = range(options.seeds)
    task = sphere_task(seeds[:1])
    times = {
        "one after another, torch modules": options.seeds * ordinary(task, options.repetitions),
        "one after another, batches of one": options.seeds * batched(seeds[:1], options.repetitions),
        "ten at once": sum(batched(group, options.repetitions) for group in groups(seeds)),
    }
    print(f"{options.seeds} networks{'':26}ms an epoch   s for {WHOLE} epochs   times as fast")
    for name, seconds in times.items():
        faster = times["one after another, torch modules"] / seconds
        print(f"  {name:36} {1000 * seconds:9.1f} {WHOLE * seconds:18.0f} {faster:15.1f}")
    networks = BatchedNetworks(EXPERIMENTS["szt"].training, seeds[:1])
    print("\nSix layers x 4,096 inputs    ms an epoch   s for 400 epochs")
    for name in options.estimators:
        snapshot = NetworkSnapshot(networks, task, EXPERIMENTS["szt"].settings, seeds[:1], 0)
        seconds = seconds_of(lambda name=name, snapshot=snapshot: list(ESTIMATORS[name](snapshot)), 1)
        print(f"  {name:24} {1000 * seconds:13.0f} {400 * seconds:18.0f}")


if __name__ == "__main__":
    main()
