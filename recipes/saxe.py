"""Is compression what makes networks generalise? Four experiments after Saxe et al. (2018).

Linear: a deep linear network and its noisy teacher, whose information is exact: I(X;T) never falls, though the network
first generalises and then learns the noise. Irrelevant: of 100 inputs the answers depend on 30; what the output
knows of the other 70 shrinks, what it knows of the input does not. Full batch: gradients without noise compress a tanh
network as those of small batches do after as many steps. Digits (with --mnist): tanh and ReLU on MNIST.

    python recipes/saxe.py --mnist MNIST --out runs/saxe
"""

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

import torch

from nmt_ib.cli.terminal import progress
from nmt_ib.networks.experiments import EXPERIMENTS, Experiment, experiment_of
from nmt_ib.reports.png.plane import write_plane_figures
from nmt_ib.results.information_plane import Plane
from nmt_ib.studies.planes.networks import information_plane

SHOWN = 7
BATCHES = 7  # of 512 patterns in an epoch


def run(name: str, experiment: Experiment, seeds: int, epochs: int, options: argparse.Namespace) -> Plane:
    """Networks with their figures."""
    with progress(name, seeds * epochs) as advance:
        plane = information_plane(
            experiment, range(seeds), epochs=epochs, measurements=options.measurements, progress=advance
        )
    folder = options.out / name
    folder.mkdir(parents=True, exist_ok=True)
    write_plane_figures(folder, plane)
    return plane


def table(plane: Plane, rows: list[tuple[str, int, str, str]], title: str) -> None:
    """I(X;T) over epochs, mean over networks, with accuracy or the variance that is explained."""
    epochs = sorted({point.epoch for point in plane})
    last = len(epochs) - 1
    shown = [epochs[place] for place in sorted({round(step * last / (SHOWN - 1)) for step in range(SHOWN)})]
    print(f"\n{title}\n  {'epoch':24}" + "".join(f"{epoch:>9}" for epoch in shown))
    for label, layer, estimator, part in rows:
        path = {epoch: i_x for epoch, i_x, _ in plane.path(layer, estimator, part)}
        print(f"  {label:24}" + "".join(f"{path[epoch]:9.2f}" for epoch in shown))
    for label, field in (("learned from", "train_accuracy"), ("not learned from", "test_accuracy")):
        means = [statistics.mean(getattr(p, field) for p in plane if p.epoch == epoch) for epoch in shown]
        print(f"  {label:24}" + "".join(f"{mean:9.2f}" for mean in means))


def falls(plane: Plane, layer: int, estimator: str, part: str = "whole") -> str:
    """How far I(X;T) falls from its highest, of the mean over networks."""
    bits = [i_x for _, i_x, _ in plane.path(layer, estimator, part)]
    return f"{max(bits) - bits[-1]:.2f} of {max(bits):.2f} bits"


def linear(options: argparse.Namespace) -> None:
    """The first two experiments."""
    epochs = {name: options.epochs or EXPERIMENTS[name].epochs for name in ("saxe-linear", "saxe-irrelevant")}
    plane = run("linear", EXPERIMENTS["saxe-linear"], options.seeds, epochs["saxe-linear"], options)
    rows = [("I(X;T) hidden layer", 1, "exact", "whole"), ("I(X;T) output", 2, "exact", "whole")]
    table(plane, rows, "Linear teacher and student, 100 answers: exact bits; share of variance explained")
    print(f"  I(X;T) falls by {falls(plane, 1, 'exact')} in the hidden layer, {falls(plane, 2, 'exact')} at the output")
    plane = run("irrelevant", EXPERIMENTS["saxe-irrelevant"], options.seeds, epochs["saxe-irrelevant"], options)
    rows = [(f"I(T;X) output, {part}", 2, "exact", part) for part in ("whole", "relevant", "irrelevant")]
    table(plane, rows, "30 relevant and 70 irrelevant inputs, 1,000 answers: exact bits")
    print("  falls by " + "; ".join(f"{falls(plane, 2, 'exact', part)}, {part}" for _, _, _, part in rows))


def full_batch(options: argparse.Namespace) -> None:
    """The third: as many steps with all patterns as with 512."""
    rows = [(f"layer {layer}", layer, "binning", "whole") for layer in (4, 5, 6)]
    epochs = options.epochs or options.steps // BATCHES
    small = replace(experiment_of("szt"), estimators=("binning",))
    whole = replace(experiment_of("szt", full_batch=True), estimators=("binning",))
    for name, experiment, passes in (("512 patterns a step", small, epochs), ("all", whole, BATCHES * epochs)):
        plane = run(name.split()[0], experiment, options.seeds, passes, options)
        table(plane, rows, f"Tanh network, {name}, {BATCHES * epochs} steps: bits by binning; accuracy")
        print(f"  layer 5 falls by {falls(plane, 5, 'binning')}")


def digits(options: argparse.Namespace) -> None:
    """The fourth."""
    rows = [(f"layer {layer}", layer, "kde-upper", "whole") for layer in (2, 3, 4, 5)]
    for activation in ("tanh", "relu"):
        experiment = replace(experiment_of("mnist", activation=activation, images=options.mnist), estimators=("kde",))
        plane = run(f"mnist-{activation}", experiment, 1, options.epochs or experiment.epochs, options)
        table(plane, rows, f"MNIST, {activation}, 784-1024-20-20-20-10: bits by the upper bound, noise variance .1")


def main() -> None:
    """Prints a table for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, help="directory of idx files, gzipped or not")
    parser.add_argument("--seeds", type=int, default=5, help="networks of each kind")
    parser.add_argument("--epochs", type=int, help="of every training; else those of the experiments")
    parser.add_argument("--steps", type=int, default=7000, help="of the tanh networks")
    parser.add_argument("--measurements", type=int, default=24)
    parser.add_argument("--out", type=Path, default=Path("runs/saxe"))
    parser.add_argument("--smoke", action="store_true", help="1 network, 2 epochs")
    options = parser.parse_args()
    if options.smoke:
        options.seeds, options.epochs, options.measurements = 1, 2, 2
    torch.set_num_threads(1)
    linear(options)
    full_batch(options)
    if options.mnist:
        digits(options)


if __name__ == "__main__":
    main()
