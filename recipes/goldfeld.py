"""Is compression clustering? Networks with internal noise, after Goldfeld et al. (2019).

With internal noise, I(X;T) is finite and can change; it is estimated by sample propagation. For each noise level, and
with weights that are kept orthonormal: I(X;T) of layer 5 at its maximum and at the end, the clustering of its states
(ratio of distances within and between classes), and the entropy of its binned states, which needs no noise. At the end,
the rank correlation of the three over epochs, for each network.

    python recipes/goldfeld.py --out runs/goldfeld
"""

import argparse
import statistics
from pathlib import Path

import torch
from scipy.stats import spearmanr

import nmt_ib
from nmt_ib import Plane

LAYER = 5
HEADS = ("I(X;T) first", "maximum", "last", "ratio first", "last", "binned first", "last", "test accuracy")


def trained(noise: float, orthonormality: float, options: argparse.Namespace) -> Plane:
    """Networks with one noise level, with a run directory."""
    name = f"noise {noise:g}" + (", orthonormal" if orthonormality else "")
    plane = nmt_ib.plane(
        "goldfeld-noisy", noise=noise, orthonormality=orthonormality, seeds=options.seeds, epochs=options.epochs,
        estimators=["sp"], measurements=options.measurements, progress=True,
        out=options.out / name.replace(", ", "-").replace(" ", "-"),
    )  # fmt: skip
    report(name, plane)
    return plane


def courses(plane: Plane, seed: int) -> tuple[list[float], list[float], list[float]]:
    """I(X;T), ratio of distances and binned entropy of the layer in one network, over epochs."""
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
    """Correlation of the three, from the epoch with the maximal I(X;T) on."""
    pairs: dict[str, list[float]] = {"distances": [], "binned entropy": []}
    for plane in planes:
        for seed in sorted({point.seed for point in plane}):
            i_x, ratios, entropies = courses(plane, seed)
            start = i_x.index(max(i_x))
            for name, values in zip(pairs, (ratios, entropies), strict=True):
                if len(set(values[start:])) > 2:
                    pairs[name].append(float(spearmanr(i_x[start:], values[start:]).statistic))
    print(f"\nRank correlation with I(X;T) of layer {LAYER} from its maximum on; mean over networks")
    for name, values in pairs.items():
        print(
            f"  {name:16}"
            + (f"{statistics.mean(values):6.2f} ({len(values)} networks)" if values else "  too few epochs")
        )


def main() -> None:
    """Prints one row per noise level, then the correlations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--noises", type=float, nargs="+", default=[0.02, 0.05, 0.1], help="standard deviations")
    parser.add_argument(
        "--orthonormality", type=float, default=0.05, help="its strength in the last row, at the middle noise level"
    )
    parser.add_argument("--seeds", type=int, default=2, help="networks per noise level")
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--measurements", type=int, default=10, help="number of measured epochs")
    parser.add_argument("--out", type=Path, default=Path("runs/goldfeld"))
    parser.add_argument("--smoke", action="store_true", help="1 noise level, 1 network, 1 epoch")
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
