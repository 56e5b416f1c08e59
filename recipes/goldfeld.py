"""Is compression clustering? Noise inside the network, after Goldfeld et al. (2019).

With noise inside, I(X;T) is finite and can change; it is estimated by sample propagation. For each level of noise, and
with weights that are kept orthonormal: what layer 5 knows of the input at its highest and at the end, how its states
cluster (distance within a class / between classes), and the entropy of its binned states, which needs no noise. At the
end, the rank correlation of the three over epochs, for each network.

    python recipes/goldfeld.py --out runs/goldfeld
"""

import argparse
import statistics
from pathlib import Path

import torch
from scipy.stats import spearmanr

from nmt_ib.cli.terminal import progress
from nmt_ib.networks.experiments import experiment_of
from nmt_ib.reports.png.plane import write_plane_figures
from nmt_ib.results.information_plane import Plane
from nmt_ib.studies.planes.networks import information_plane

LAYER = 5
HEADS = ("I(X;T) first", "highest", "last", "clusters first", "last", "binned first", "last", "accuracy")


def trained(noise: float, orthonormality: float, options: argparse.Namespace) -> Plane:
    """Networks with one level of noise, and their figures."""
    experiment = experiment_of("goldfeld-noisy", noise=noise, orthonormality=orthonormality)
    name = f"noise {noise:g}" + (", orthonormal" if orthonormality else "")
    with progress(name, options.seeds * options.epochs) as advance:
        plane = information_plane(
            experiment, range(options.seeds), epochs=options.epochs, estimators=["sp"],
            measurements=options.measurements, progress=advance,
        )  # fmt: skip
    folder = options.out / name.replace(", ", "-").replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    write_plane_figures(folder, plane)
    report(name, plane)
    return plane


def courses(plane: Plane, seed: int) -> tuple[list[float], list[float], list[float]]:
    """I(X;T), clustering and binned entropy of the layer in one network, over epochs."""
    i_x = [p.i_x_bits for p in plane if (p.seed, p.layer) == (seed, LAYER)]
    clusters = [row for row in plane.clusters if (row.seed, row.layer) == (seed, LAYER)]
    ratios = [row.within / row.between if row.between else 1.0 for row in clusters]
    return i_x, ratios, [row.binned_entropy_bits for row in clusters]


def report(name: str, plane: Plane) -> None:
    """One row: means over networks."""
    seeds = sorted({point.seed for point in plane})
    i_x, ratios, entropies = (
        [statistics.mean(values) for values in zip(*kind, strict=True)]
        for kind in zip(*(courses(plane, seed) for seed in seeds), strict=True)
    )
    last = max(point.epoch for point in plane)
    accuracy = statistics.mean(point.test_accuracy for point in plane if point.epoch == last)
    cells = [i_x[0], max(i_x), i_x[-1], ratios[0], ratios[-1], entropies[0], entropies[-1], accuracy]
    print(f"{name:24}" + "".join(f"{cell:>15.2f}" for cell in cells))


def correlations(planes: list[Plane]) -> None:
    """How the three move together from the epoch where I(X;T) is highest on."""
    pairs: dict[str, list[float]] = {"clusters": [], "binned entropy": []}
    for plane in planes:
        for seed in sorted({point.seed for point in plane}):
            i_x, ratios, entropies = courses(plane, seed)
            start = i_x.index(max(i_x))
            for name, values in zip(pairs, (ratios, entropies), strict=True):
                if len(set(values[start:])) > 2:
                    pairs[name].append(float(spearmanr(i_x[start:], values[start:]).statistic))
    print(f"\nRank correlation with I(X;T) of layer {LAYER} from its highest on; mean over networks")
    for name, values in pairs.items():
        print(
            f"  {name:16}" + (f"{statistics.mean(values):6.2f} ({len(values)} networks)" if values else "  too short")
        )


def main() -> None:
    """Prints a row for each level of noise, then the correlations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--noises", type=float, nargs="+", default=[0.02, 0.05, 0.1])
    parser.add_argument("--orthonormality", type=float, default=0.05, help="of the last row, at the middle noise")
    parser.add_argument("--seeds", type=int, default=2, help="networks of each kind")
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--measurements", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("runs/goldfeld"))
    parser.add_argument("--smoke", action="store_true", help="one noise, 1 network, 1 epoch")
    options = parser.parse_args()
    if options.smoke:
        options.noises, options.seeds, options.epochs, options.measurements = [0.1], 1, 1, 1
    torch.set_num_threads(1)
    print(f"{f'layer {LAYER}':24}" + "".join(f"{head:>15}" for head in HEADS))
    planes = [trained(noise, 0.0, options) for noise in options.noises]
    trained(options.noises[len(options.noises) // 2], options.orthonormality, options)
    correlations(planes)


if __name__ == "__main__":
    main()
