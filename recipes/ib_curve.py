"""Does the solver of the information bottleneck find known curves? And what do hard clusters cost?

Known curves: the binary symmetric channel (Mrs Gerber's lemma), Gaussian X and Y, and any Y that is a function of X.
    python recipes/ib_curve.py
"""

import argparse
import math
import time

import numpy as np

from nmt_ib.info import beta_grid, gaussian_ib_curve, ib_curve


def binary_entropy(p: float) -> float:
    """Entropy of a binary variable in bits."""
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p) if 0 < p < 1 else 0.0


def mrs_gerber(rate_bits: float, flip: float) -> float:
    """Maximal I(T;Y) in bits for a given I(X;T) of a fair bit that is flipped with some probability."""
    low, high = 0.0, 0.5
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if binary_entropy(middle) < 1 - rate_bits else (low, middle)
    return 1 - binary_entropy(low * (1 - flip) + (1 - low) * flip)


def channel(points: int) -> None:
    """Curves and critical betas of binary symmetric channels."""
    print("Binary symmetric channel    I(X;Y)   critical beta (known)   largest error of I(T;Y)   CPU seconds")
    for flip in (0.05, 0.1, 0.2, 0.3):
        table = np.array([[0.5 - flip / 2, flip / 2], [flip / 2, 0.5 - flip / 2]])
        start = time.process_time()
        found = ib_curve(table, beta_grid(0.5, 50.0, points))
        seconds = time.process_time() - start
        error = max(abs(point.i_y_bits - mrs_gerber(point.i_x_bits, flip)) for point in found.points)
        known = (1 - 2 * flip) ** -2
        print(
            f"  flips {flip:4.0%}              {found.i_xy_bits:8.6f}   {found.critical_betas[0]:8.6f} ({known:8.6f})"
            f"     {error:16.1e} bits   {seconds:9.2f}"
        )


def gaussian(points: int) -> None:
    """A finely discretised Gaussian against the closed form."""
    print("\nGaussian X and Y            I(X;Y)   critical beta   largest error with 41 x 41 cells")
    cells = np.linspace(-4, 4, 41)
    x, y = np.meshgrid(cells, cells, indexing="ij")
    for rho in (0.5, 0.75, 0.9):
        table = np.exp(-(x**2 - 2 * rho * x * y + y**2) / (2 * (1 - rho**2)))
        exact = gaussian_ib_curve(np.array([[1, rho], [rho, 1]]), 1, beta_grid(1.0, 500.0, 2000))
        discretised = ib_curve(table / table.sum(), beta_grid(1.0, 10.0, points // 5))
        error = max(abs(point.i_y_bits - exact.i_y_bits_at(point.i_x_bits)) for point in discretised.points)
        print(
            f"  correlation {rho:4.2f}        {exact.i_xy_bits:8.6f}   {exact.critical_betas[0]:13.4f}"
            f"   {error:16.1e} bits"
        )


def clusters(size: int, points: int, seed: int) -> None:
    """Hard against soft clusters on a random table: I(T;Y) at the same I(X;T)."""
    drawn = np.random.default_rng(seed).dirichlet(np.full(size * size, 0.1)).reshape(size, size)
    print(f"\nA random table of {size} x {size} at {points} betas: hard and soft clusters")
    curves = {}
    for method in ("ib", "dib"):
        start = time.process_time()
        curves[method] = ib_curve(drawn, beta_grid(0.5, 50.0, points), method=method)
        print(f"  {method:4} {time.process_time() - start:6.2f} s")
    print("  clusters    hard: I(X;T) = H(T)    I(T;Y)    soft: I(T;Y) at this I(X;T)")
    shown = {point.clusters: point for point in curves["dib"].points if point.clusters > 1}
    for point in list(shown.values())[:: max(1, len(shown) // 6)]:
        soft = curves["ib"].i_y_bits_at(point.i_x_bits)
        print(f"  {point.clusters:8} {point.i_x_bits:22.4f} {point.i_y_bits:9.4f} {soft:26.4f}")
    for note in curves["ib"].notes:
        print(f"  {note}")


def labels(points: int) -> None:
    """The same table with deterministic and with noisy labels."""
    print("\nEight values of x, two labels: optima at different betas")
    clean = np.zeros((8, 2))
    clean[range(8), [0, 0, 0, 1, 1, 1, 1, 1]] = 1 / 8
    noise = np.array([[0.98, 0.02], [0.9, 0.1]])[np.arange(8) % 2]
    noisy = clean * noise[:, :1] + clean[:, ::-1] * noise[:, 1:]
    for name, table in (("clean", clean), ("noisy", noisy)):
        found = ib_curve(table, beta_grid(0.5, 50.0, points))
        optima = {(round(point.i_x_bits, 4), round(point.i_y_bits, 4)) for point in found.points}
        print(f"  {name:6} I(X;Y) {found.i_xy_bits:.4f} bits; {len(optima)} different optima at {points} betas")
        for note in found.notes:
            print(f"         {note}")


def main() -> None:
    """Prints four tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100, help="number of betas per curve")
    parser.add_argument("--size", type=int, default=64, help="rows and columns of the random table")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="10 betas, 6 rows")
    options = parser.parse_args()
    if options.smoke:
        options.points, options.size = 10, 6
    channel(options.points)
    gaussian(options.points)
    clusters(options.size, options.points, options.seed)
    labels(options.points)


if __name__ == "__main__":
    main()
