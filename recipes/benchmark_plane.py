"""How much time does it save to train many small networks at once? And what does a measured epoch cost?

The network of Shwartz-Ziv & Tishby (2017), mini-batches of 512, CPU seconds of one thread: one network after another
as ordinary modules with autograd and torch.optim, one after another as groups of one, and in groups of ten. Then the
estimators on its six layers, 4,096 inputs each.

    python recipes/benchmark_plane.py --seeds 50
"""

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from nmt_ib import BatchedNetworks, NetworkSnapshot, estimate_layers, experiment_of

EPOCHS, MEASURED_EPOCHS = 8000, 400
GROUP = 10  # networks trained at once
SZT = experiment_of("szt")


def seconds_of(work: Callable[[], object], repetitions: int) -> float:
    """CPU seconds of one repetition, the fastest of three rounds."""
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
    task, networks = SZT.task(seeds), BatchedNetworks(SZT.training, seeds)
    return seconds_of(lambda: networks.epoch(task.inputs, task.targets, task.train), repetitions)


def ordinary(seed: int, repetitions: int) -> float:
    """Seconds of one epoch of one network in ordinary torch code."""
    training, task = SZT.training, SZT.task([seed])
    layers = [layer for below, above in pairwise(training.widths) for layer in (nn.Linear(below, above), nn.Tanh())]
    layers = layers[:-1]  # the output has no activation
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
    parser.add_argument("--seeds", type=int, default=50, help="number of networks")
    parser.add_argument("--repetitions", type=int, default=20, help="timed epochs per round")
    parser.add_argument("--estimators", nargs="*", default=["binning", "kde", "sp"])
    parser.add_argument("--smoke", action="store_true", help="2 networks, 1 epoch, binning")
    options = parser.parse_args()
    if options.smoke:
        options.seeds, options.repetitions, options.estimators = 2, 1, ["binning"]
    torch.set_num_threads(1)
    seeds = range(options.seeds)
    groups = [seeds[start : start + GROUP] for start in range(0, len(seeds), GROUP)]
    times = {
        "one after another, torch modules": options.seeds * ordinary(seeds[0], options.repetitions),
        "one after another, groups of one": options.seeds * batched(seeds[:1], options.repetitions),
        "groups of ten": sum(batched(group, options.repetitions) for group in groups),
    }
    print(f"{options.seeds} networks{'':25}ms per epoch   s for {EPOCHS} epochs   speed-up")
    for name, seconds in times.items():
        speedup = times["one after another, torch modules"] / seconds
        print(f"  {name:36} {1000 * seconds:9.1f} {EPOCHS * seconds:18.0f} {speedup:10.1f}")
    task, networks = SZT.task(seeds[:1]), BatchedNetworks(SZT.training, seeds[:1])
    print(f"\nSix layers x 4,096 inputs   ms per epoch   s for {MEASURED_EPOCHS} epochs")
    for name in options.estimators:
        snapshot = NetworkSnapshot(networks, task, SZT.settings, seeds[:1], 0)
        seconds = seconds_of(lambda name=name, snapshot=snapshot: estimate_layers(snapshot, [name]), 1)
        print(f"  {name:24} {1000 * seconds:13.0f} {MEASURED_EPOCHS * seconds:18.0f}")


if __name__ == "__main__":
    main()
