"""Do layers compress while they learn? Tanh against ReLU in the experiment of Shwartz-Ziv & Tishby (2017).

Their network, 12-10-7-5-4-3-2 with Adam, on a rule that no rotation of a sphere changes. I(X;T) of the layers, in bits,
by binning, between Kolchinsky & Tracey's bounds, and by sample propagation; mean and deviation over networks. Beside
them one network of the published code on the published data, whose rule differs (elsewhere, seed 0).

    python recipes/szt.py --out runs/szt
"""

import argparse
import statistics
from pathlib import Path

import torch

from nmt_ib.cli.terminal import progress
from nmt_ib.networks.experiments import experiment_of
from nmt_ib.reports.png.plane import write_plane_figures
from nmt_ib.results.information_plane import Plane
from nmt_ib.studies.planes.networks import information_plane

REFERENCE = {0: (11.58, 8.82, 5.18, 0.81), 50: (11.84, 10.03, 7.74, 4.27), 8000: (11.81, 10.19, 4.17, 1.31)}
LAYERS = (3, 4, 5, 6)


def spread(plane: Plane, layer: int, epoch: int, estimator: str = "binning") -> str:
    """Mean and deviation over networks of I(X;T)."""
    bits = [p.i_x_bits for p in plane if (p.layer, p.epoch, p.estimator) == (layer, epoch, estimator)]
    return f"{statistics.mean(bits):.2f} +- {statistics.pstdev(bits):.2f}"


def layers(plane: Plane, epochs: list[int]) -> None:
    """I(X;T) of the narrow layers at some epochs."""
    print(f"  {'epoch':>7}" + "".join(f"{f'layer {layer}':>16}" for layer in LAYERS) + f"{'accuracy':>16}")
    for epoch in epochs:
        now = [point for point in plane if point.epoch == epoch]
        train, test = (statistics.mean(getattr(p, f"{part}_accuracy") for p in now) for part in ("train", "test"))
        cells = [f"{spread(plane, layer, epoch):>16}" for layer in LAYERS]
        print(f"  {epoch:>7}" + "".join(cells) + f"    {train:.3f} / {test:.3f}")


def rise_and_fall(plane: Plane) -> None:
    """How far layer 5 rises and falls, network by network."""
    rises, falls = [], []
    for seed in sorted({point.seed for point in plane}):
        path = [p.i_x_bits for p in plane if (p.seed, p.layer, p.estimator) == (seed, 5, "binning")]
        rises.append(max(path) - path[0])
        falls.append(max(path) - path[-1])
    print(
        f"  layer 5: rises by {statistics.mean(rises):.2f} bits, falls from its highest by {statistics.mean(falls):.2f}"
        f" bits; by 2 or more in {sum(fall >= 2 for fall in falls)} of {len(falls)} networks"
    )


def agreement(plane: Plane) -> None:
    """How often binning and sample propagation lie between the bounds."""
    for epoch in sorted({point.epoch for point in plane}):
        found = {(p.seed, p.layer, p.estimator): p.i_x_bits for p in plane if p.epoch == epoch}
        places = sorted({(seed, layer) for seed, layer, _ in found})
        inside = {
            name: sum(
                found[(*place, "kde-lower")] - 0.02 <= found[(*place, name)] <= found[(*place, "kde-upper")] + 0.02
                for place in places
            )
            for name in ("binning", "sp")
        }
        gap = statistics.mean(found[(*place, "kde-upper")] - found[(*place, "kde-lower")] for place in places)
        apart = statistics.mean(abs(found[(*place, "binning")] - found[(*place, "sp")]) for place in places)
        print(
            f"  epoch {epoch:>5}: bounds {gap:.2f} bits apart; between them sp in {inside['sp']}, binning in"
            f" {inside['binning']} of {len(places)} layers; binning and sp {apart:.2f} bits apart"
        )


def reference() -> None:
    """The figures of the published code."""
    print("published code and data, one tanh network (.999 / .954 after 8,000 epochs)")
    for epoch, bits in REFERENCE.items():
        print(f"  {epoch:>7}" + "".join(f"{figure:>16.2f}" for figure in bits))


def run(activation: str, options: argparse.Namespace) -> None:
    """Networks of one kind: binned at many epochs, and some of them measured in all ways at a few."""
    experiment = experiment_of("szt", activation=activation)
    networks = options.seeds + options.compared
    with progress(activation, networks * options.epochs) as advance:
        shared = {"epochs": options.epochs, "progress": advance}
        plane, compared = (
            information_plane(experiment, range(seeds), estimators=names, measurements=measurements, **shared)
            for seeds, names, measurements in (
                (options.seeds, ["binning"], options.measurements), (options.compared, ["binning", "kde", "sp"], 2)
            )
        )  # fmt: skip
    epochs = sorted({point.epoch for point in plane})
    print(f"{activation}, {options.seeds} networks: I(X;T) in bits by binning; accuracy learned from / not")
    layers(plane, sorted({min(epochs, key=lambda epoch, near=near: abs(epoch - near)) for near in (0, 50, 500, 8000)}))
    rise_and_fall(plane)
    agreement(compared)
    folder = options.out / activation
    folder.mkdir(parents=True, exist_ok=True)
    write_plane_figures(folder, plane)
    print("".join(f"  {note}\n" for note in (*plane.notes, *plane.warnings)) + f"  figures in {folder}")


def main() -> None:
    """Prints both kinds of network beside the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="networks of each kind")
    parser.add_argument("--epochs", type=int, default=8000)
    parser.add_argument("--measurements", type=int, default=40, help="epochs at which layers are binned")
    parser.add_argument("--compared", type=int, default=2, help="networks of which all estimators are compared")
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
