"""How do training data and depth affect the layers, and do layers end near the optimal information-bottleneck curve?

The network of Shwartz-Ziv & Tishby (2017) on a rotation-invariant rule on the sphere, and three of their statements:
with little data the last layers lose I(T;Y) while they compress (figure 3); with more hidden layers fewer epochs
are needed (figure 5); layers end near the optimal curve, at a beta that falls from layer to layer (figure 6). The last
needs noisy labels: if Y is a function of X, the curve is a straight line and every beta above 1 fits its end.

    python recipes/szt_limits.py data depth limit --out runs/szt_limits
"""

import argparse
import math
import statistics
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import nmt_ib
from nmt_ib import Experiment, IBCurve, Plane, experiment_of, write_approach_figure, write_planes_figure
from nmt_ib.info import beta_grid

SHARES, DEPTHS, LAYERS, GOALS = (0.05, 0.45, 0.85), range(1, 7), range(1, 7), (0.8, 0.9, 0.95)
I_XY_BITS = (0.99, 0.8)  # about theirs, and a noisier rule
SZT = experiment_of("szt")
BETAS, MEASUREMENTS = beta_grid(1.001, 1000.0, 80), 60


def trained(name: str, experiment: Experiment, options: argparse.Namespace) -> Plane:
    """Networks in the information plane, by binning."""
    with nmt_ib.progress_bar(name, options.seeds * options.epochs) as advance:
        return nmt_ib.information_plane(
            experiment, range(options.seeds), epochs=options.epochs, estimators=["binning"],
            measurements=MEASUREMENTS, progress=advance,
        )  # fmt: skip


def data(options: argparse.Namespace) -> None:
    """Training on 5, 45 and 85 % of the patterns."""
    print("  share  layer   I(T;Y) max (epoch)     at the end   loss, by network   I(X;T) max, end   training / test")
    planes = {}
    for share in SHARES:
        plane = trained(f"{share:.0%}", experiment_of("szt", train_share=share), options)
        planes[f"{share:.0%} of the patterns"] = plane
        for layer, rows in plane.to_dataframe().query("layer > 3").groupby("layer"):
            path = rows.groupby("epoch").mean(numeric_only=True)
            by_network = rows.groupby("seed").i_y_bits
            loss, end = by_network.max() - by_network.last(), path.iloc[-1]
            print(
                f"  {share:5.0%} {layer:6} {path.i_y_bits.max():14.3f} ({path.i_y_bits.idxmax():>5})"
                f" {end.i_y_bits:12.3f} {loss.min():9.3f} to {loss.max():.3f} {path.i_x_bits.max():11.2f},"
                f" {end.i_x_bits:5.2f}   {end.train_accuracy:.3f} / {end.test_accuracy:.3f}"
            )
    print(f"  figure: {write_planes_figure(options.out, 'data.png', planes)[0]}")


def depth(options: argparse.Namespace) -> None:
    """One to six hidden layers of 12, 10, 8, ... units."""
    print(f"  hidden   median number of epochs until the test accuracy is {', '.join(map(str, GOALS))}")
    print("  layers   (networks that reach it); at the end: test accuracy, I(X;T) and I(T;Y) of the output")
    planes = {}
    for hidden in DEPTHS:
        widths = (12, *range(12, 12 - 2 * hidden, -2), 2)
        deep = replace(SZT, training=replace(SZT.training, widths=widths))
        plane = planes[f"hidden layers: {hidden}"] = trained(f"{hidden} hidden", deep, options)
        rows = plane.to_dataframe()
        output, cells = rows[rows.layer == rows.layer.max()], ""
        for goal in GOALS:
            first = output[output.test_accuracy >= goal].groupby("seed").epoch.min()
            median = first.reindex(range(options.seeds)).fillna(math.inf).median()
            cells += f"{median:9.0f} ({len(first)})"
        end = output[output.epoch == options.epochs].mean(numeric_only=True)
        print(f"  {hidden:6}{cells}    {end.test_accuracy:.3f}, {end.i_x_bits:.2f}, {end.i_y_bits:.3f}")
    print(f"  figure: {write_planes_figure(options.out, 'depth.png', planes)[0]}")


def compare(rows: list[Any], curve: IBCurve) -> tuple[str, float, float]:
    """Prints a layer against the curve, mean over networks; returns its name, I(X;T) and I(T;Y)."""
    bits = [(r.fit.i_x_bits, r.fit.i_y_bits, r.fit.below_bits, r.sufficient_bits) for r in rows]
    i_x, i_y, below, sufficient = (statistics.mean(values) for values in zip(*bits, strict=True))
    xs, ys, _ = zip(*curve.corners, strict=True)
    betas = sorted(math.inf if row.encoder_beta is None else row.encoder_beta for row in rows)
    print(
        f"  {rows[0].epoch:6} {rows[0].layer:6} {i_x:9.2f} {sufficient:8.2f} {np.interp(i_y, ys, xs):9.2f} {i_y:9.4f}"
        f" {below:8.4f} {statistics.median(betas):9.3g} ({betas[0]:.3g} to {betas[-1]:.3g})"
    )
    return rows[0].fit.name, i_x, i_y


def limit(options: argparse.Namespace) -> None:
    """Layers against the optimal curve of a rule with noisy labels."""
    epochs = sorted({0, *(min(epoch, options.epochs) for epoch in (50, 500, options.epochs))})
    tasks: dict[str, dict[int, IBCurve]] = {}
    for bits in I_XY_BITS:
        experiment = replace(SZT, task=partial(SZT.task, i_xy_bits=bits))
        curve = nmt_ib.ib_curve_of_task(experiment.task([0]), BETAS)
        with nmt_ib.progress_bar(f"I(X;Y) {bits:g}", options.seeds * options.epochs) as advance:
            rows = nmt_ib.layers_at_limit(experiment, range(options.seeds), curve, epochs=epochs, progress=advance)
        critical = ", ".join(f"{beta:.4g}" for beta in curve.critical_betas)
        print(f"  I(X;Y) = {curve.i_xy_bits:.4f} bits at I(X;T) = {curve.end_x_bits:.4f}; critical betas {critical}")
        print("   epoch  layer    I(X;T)  about p(y|x)  curve    I(T;Y)    below   beta of the encoder, median")
        tasks[f"I(X;Y) = {bits:g} bits"] = {
            epoch: curve.against(
                [compare([row for row in rows if (row.epoch, row.layer) == (epoch, layer)], curve) for layer in LAYERS]
            )
            for epoch in epochs
        }
    print(f"  figure: {write_approach_figure(options.out, 'limit.png', tasks)[0]}")


PARTS = {
    "data": (data, "with 5 % of the data the last layers lose I(T;Y) while they compress, not with 85 %"),
    "depth": (depth, "with more hidden layers fewer epochs are needed to generalise"),
    "limit": (limit, "layers end near the curve, at a beta that falls from layer to layer"),
}


def main() -> None:
    """Prints the tables of the chosen parts and writes their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--seeds", type=int, default=5, help="networks per setting")
    parser.add_argument("--epochs", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=Path("runs/szt_limits"))
    parser.add_argument("--smoke", action="store_true", help="2 networks, 1 epoch")
    options = parser.parse_args()
    if options.smoke:
        options.seeds, options.epochs = 2, 1
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.parts:
        run, statement = PARTS[name]
        print(f"{name}; their statement: {statement}")
        run(options)


if __name__ == "__main__":
    main()
