"""Do networks need to compress to generalise? Four experiments after Saxe et al. (2018).

Linear: a deep linear network and its noisy teacher, whose information is exact: I(X;T) never falls, although the
network first generalises and then overfits the noise. Irrelevant: the targets depend on 30 of 100 inputs; the output's
information about the other 70 falls, that about the whole input does not. Full batch: full-batch gradients compress a
tanh network as mini-batches do after as many steps. Digits (with --mnist): tanh and ReLU on MNIST.

    python recipes/saxe.py --mnist MNIST --out runs/saxe
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

import torch

import nmt_ib
from nmt_ib import Plane

COLUMNS = 7  # epochs in a table
BATCHES = 7  # mini-batches of 512 patterns in an epoch


def run(name: str, experiment: str, options: argparse.Namespace, **settings: Any) -> Plane:
    """Networks of one experiment, with a run directory."""
    shared = {"seeds": options.seeds, "epochs": options.epochs, "measurements": options.measurements}
    return nmt_ib.plane(experiment, progress=True, out=options.out / name, **{**shared, **settings})


def table(plane: Plane, rows: list[tuple[str, int, str, str]], title: str) -> None:
    """I(X;T) over epochs, mean over networks, with accuracy or explained variance."""
    epochs = sorted({point.epoch for point in plane})
    last = len(epochs) - 1
    shown = [epochs[index] for index in sorted({round(step * last / (COLUMNS - 1)) for step in range(COLUMNS)})]
    print(f"\n{title}\n  {'epoch':24}" + "".join(f"{epoch:>9}" for epoch in shown))
    for label, layer, estimator, part in rows:
        path = {epoch: i_x for epoch, i_x, _ in plane.path(layer, estimator, part)}
        print(f"  {label:24}" + "".join(f"{path[epoch]:9.2f}" for epoch in shown))
    for label, field in (("training", "train_accuracy"), ("test", "test_accuracy")):
        means = [statistics.mean(getattr(p, field) for p in plane if p.epoch == epoch) for epoch in shown]
        print(f"  {label:24}" + "".join(f"{mean:9.2f}" for mean in means))


def falls(plane: Plane, layer: int, estimator: str, part: str = "whole") -> str:
    """By how much I(X;T), mean over networks, falls from its maximum."""
    bits = [i_x for _, i_x, _ in plane.path(layer, estimator, part)]
    return f"{max(bits) - bits[-1]:.2f} of {max(bits):.2f} bits"


def linear(options: argparse.Namespace) -> None:
    """The first two experiments."""
    plane = run("linear", "saxe-linear", options)
    rows = [("I(X;T) hidden layer", 1, "exact", "whole"), ("I(X;T) output", 2, "exact", "whole")]
    table(plane, rows, "Linear teacher and student, 100 examples: exact bits; share of explained variance")
    print(f"  I(X;T) falls by {falls(plane, 1, 'exact')} in the hidden layer, {falls(plane, 2, 'exact')} at the output")
    plane = run("irrelevant", "saxe-irrelevant", options)
    rows = [(f"I(T;X) output, {part}", 2, "exact", part) for part in ("whole", "relevant", "irrelevant")]
    table(plane, rows, "30 relevant and 70 irrelevant inputs, 1,000 examples: exact bits; share of explained variance")
    print("  falls by " + "; ".join(f"{falls(plane, 2, 'exact', part)}, {part}" for _, _, _, part in rows))


def full_batch(options: argparse.Namespace) -> None:
    """The third experiment: as many steps with all patterns as with mini-batches of 512."""
    rows = [(f"layer {layer}", layer, "binning", "whole") for layer in (4, 5, 6)]
    epochs = options.epochs or options.steps // BATCHES
    for name, full, passes in (("mini-batch", False, epochs), ("full-batch", True, BATCHES * epochs)):
        plane = run(name, "szt", options, full_batch=full, epochs=passes, estimators=["binning"])
        table(plane, rows, f"Tanh network, {name}, {BATCHES * epochs} steps: bits by binning; accuracy")
        print(f"  layer 5 falls by {falls(plane, 5, 'binning')}")


def digits(options: argparse.Namespace) -> None:
    """The fourth experiment."""
    rows = [(f"layer {layer}", layer, "kde-upper", "whole") for layer in (2, 3, 4, 5)]
    for activation in ("tanh", "relu"):
        settings = {"activation": activation, "images": options.mnist, "seeds": 1, "estimators": ["kde"]}
        plane = run(f"mnist-{activation}", "mnist", options, **settings)
        table(plane, rows, f"MNIST, {activation}, 784-1024-20-20-20-10: bits by the upper bound, noise variance .1")


def main() -> None:
    """Prints one table per experiment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, help="directory of idx files, gzipped or not")
    parser.add_argument("--seeds", type=int, default=5, help="networks of each kind")
    parser.add_argument("--epochs", type=int, help="epochs of every training; default: those of the experiments")
    parser.add_argument("--steps", type=int, default=7000, help="training steps of the full-batch experiment")
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
