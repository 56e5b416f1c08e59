"""Do layers compress during training? Tanh against ReLU in the experiment of Shwartz-Ziv & Tishby (2017).

Their network, 12-10-7-5-4-3-2 with Adam, on a rotation-invariant rule on the sphere. I(X;T) of the layers in bits by
binning, by Kolchinsky & Tracey's kernel bounds and by sample propagation; mean and standard deviation over networks.
For comparison, one network of the published code on the published data, whose rule differs (seed 0).

    python recipes/szt.py --out runs/szt
"""

import argparse
import statistics
from collections import defaultdict
from pathlib import Path

import torch

import nmt_ib
from nmt_ib import Plane

REFERENCE = {0: (11.58, 8.82, 5.18, 0.81), 50: (11.84, 10.03, 7.74, 4.27), 8000: (11.81, 10.19, 4.17, 1.31)}
LAYERS = (3, 4, 5, 6)
TOLERANCE_BITS = 0.02


def spread(plane: Plane, layer: int, epoch: int, estimator: str = "binning") -> str:
    """Mean and standard deviation of I(X;T) over networks."""
    bits = [p.i_x_bits for p in plane if (p.layer, p.epoch, p.estimator) == (layer, epoch, estimator)]
    return f"{statistics.mean(bits):.2f} +- {statistics.pstdev(bits):.2f}"


def layers(plane: Plane, epochs: list[int]) -> None:
    """I(X;T) of the narrow layers at some epochs, and the accuracy."""
    print(f"  {'epoch':>7}" + "".join(f"{f'layer {layer}':>16}" for layer in LAYERS) + f"{'accuracy':>16}")
    for epoch in epochs:
        now = [point for point in plane if point.epoch == epoch]
        train, test = (statistics.mean(getattr(p, f"{part}_accuracy") for p in now) for part in ("train", "test"))
        cells = [f"{spread(plane, layer, epoch):>16}" for layer in LAYERS]
        print(f"  {epoch:>7}" + "".join(cells) + f"    {train:.3f} / {test:.3f}")


def rise_and_fall(plane: Plane) -> None:
    """By how much I(X;T) of layer 5 rises and falls in each network."""
    rises, falls = [], []
    for seed in sorted({point.seed for point in plane}):
        path = [p.i_x_bits for p in plane if (p.seed, p.layer, p.estimator) == (seed, 5, "binning")]
        rises.append(max(path) - path[0])
        falls.append(max(path) - path[-1])
    print(
        f"  layer 5: I(X;T) rises by {statistics.mean(rises):.2f} bits, falls from its maximum by"
        f" {statistics.mean(falls):.2f} bits; by 2 or more in {sum(fall >= 2 for fall in falls)} of {len(falls)}"
    )


def agreement(plane: Plane) -> None:
    """How often binning and sample propagation lie between the kernel bounds."""
    for epoch in sorted({point.epoch for point in plane}):
        layers = defaultdict(dict)
        for point in plane:
            if point.epoch == epoch:
                layers[point.seed, point.layer][point.estimator] = point.i_x_bits
        inside = {
            name: sum(
                one["kde-lower"] - TOLERANCE_BITS <= one[name] <= one["kde-upper"] + TOLERANCE_BITS
                for one in layers.values()
            )
            for name in ("binning", "sp")
        }
        gap = statistics.mean(one["kde-upper"] - one["kde-lower"] for one in layers.values())
        difference = statistics.mean(abs(one["binning"] - one["sp"]) for one in layers.values())
        print(
            f"  epoch {epoch:>5}: kernel bounds {gap:.2f} bits apart; between them: sp in {inside['sp']}, binning in"
            f" {inside['binning']} of {len(layers)} layers; binning and sp {difference:.2f} bits apart"
        )


def reference() -> None:
    """I(X;T) with the published code."""
    print("published code and data, one tanh network (accuracy .999 / .954 after 8,000 epochs)")
    for epoch, bits in REFERENCE.items():
        print(f"  {epoch:>7}" + "".join(f"{figure:>16.2f}" for figure in bits))


def run(activation: str, options: argparse.Namespace) -> None:
    """Networks with one activation: binned at many epochs; some of them with all estimators at a few epochs."""
    shared = {"activation": activation, "epochs": options.epochs, "progress": True}
    plane = nmt_ib.plane(
        "szt", seeds=options.seeds, estimators=["binning"], measurements=options.measurements,
        out=options.out / activation, **shared,
    )  # fmt: skip
    compared = nmt_ib.plane(
        "szt", seeds=options.compared, estimators=["binning", "kde", "sp"], measurements=2, **shared
    )  # fmt: skip
    epochs = sorted({point.epoch for point in plane})
    print(f"{activation}, {options.seeds} networks: I(X;T) in bits by binning; accuracy, training / test")
    layers(plane, sorted({min(epochs, key=lambda epoch, near=near: abs(epoch - near)) for near in (0, 50, 500, 8000)}))
    rise_and_fall(plane)
    agreement(compared)
    print(
        "".join(f"  {note}\n" for note in (*plane.notes, *plane.warnings)) + f"  figures in {options.out / activation}"
    )


def main() -> None:
    """Prints both activations next to the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="networks of each activation")
    parser.add_argument("--epochs", type=int, default=8000)
    parser.add_argument("--measurements", type=int, default=40, help="number of epochs at which layers are binned")
    parser.add_argument("--compared", type=int, default=2, help="networks with all estimators")
    parser.add_argument("--activations", nargs="*", default=["tanh", "relu"])
    parser.add_argument("--out", type=Path, default=Path("runs/szt"))
    parser.add_argument("--smoke", action="store_true", help="2 networks, 1 epoch")
    options = parser.parse_args()
    if options.smoke:
        options.seeds, options.epochs, options.compared, options.measurements = 2, 1, 1, 1
    torch.set_num_threads(1)
    reference()
    for activation in options.activations:
        run(activation, options)


if __name__ == "__main__":
    main()
