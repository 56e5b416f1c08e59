"""How long does the information plane of a training run take? Binning and kernel bounds of 6 layers at 400 epochs.

The layers are those of the network of Shwartz-Ziv & Tishby (12-10-7-5-4-3-2, tanh) for its 4,096 inputs, untrained,
with weights that grow from epoch to epoch as they do in training. The kernel bounds are compared with their two-pass
form, which computes all distances anew for each bound and each class.

    python recipes/benchmark_information.py
"""

import argparse
import math
import time
from collections.abc import Iterator

import numpy as np
import torch

from nmt_ib.info import BITS_PER_NAT, LayerInformation, binned_layer, kde_layer

WIDTHS = 12, 10, 7, 5, 4, 3, 2
GAINS = 0.5, 8.0  # scale of the weights at the first and the last epoch
VARIANCE = 1e-3


def layers(points: int, gain: float, seed: int) -> list[torch.Tensor]:
    """States of all layers for the first of the 2^12 bit strings."""
    bits = torch.as_tensor((np.arange(points)[:, None] >> np.arange(WIDTHS[0])) & 1).float()
    generator = torch.Generator().manual_seed(seed)
    states, found = 2 * bits - 1, []
    for fan_in, width in zip(WIDTHS, WIDTHS[1:], strict=False):
        states = torch.tanh(gain * states @ torch.randn(fan_in, width, generator=generator) / math.sqrt(fan_in))
        found.append(states)
    return found


def two_pass_entropy(states: torch.Tensor, upper: bool) -> float:
    """One bound on the entropy of noisy states, from all distances."""
    samples, width = states.shape
    norms = states.square().sum(1, keepdim=True)
    distances = norms + norms.T - 2 * states @ states.T
    variance = VARIANCE if upper else 4 * VARIANCE
    log_density = torch.logsumexp(-distances / (2 * variance), 1) - math.log(samples)
    log_density -= width / 2 * math.log(2 * math.pi * variance)
    return float(width / 2 - log_density.mean()) + (0.0 if upper else width / 2 * math.log(0.25))


def two_pass(states: torch.Tensor, labels: torch.Tensor) -> list[float]:
    """Lower and upper bounds of I(X;T) and I(T;Y) in bits."""
    noise = states.shape[1] / 2 * (math.log(2 * math.pi * VARIANCE) + 1)
    found = []
    for upper in (False, True):
        whole = two_pass_entropy(states, upper)
        shares = ((labels == label, float((labels == label).double().mean())) for label in labels.unique())
        given_label = sum(share * two_pass_entropy(states[members], upper) for members, share in shares)
        found += [(whole - noise) * BITS_PER_NAT, (whole - given_label) * BITS_PER_NAT]
    return found


def bits(bounds: tuple[LayerInformation, LayerInformation]) -> list[float]:
    """The same bounds by `kde_layer`."""
    return [float(one) * BITS_PER_NAT for bound in bounds for one in bound]


def plane(points: int, epochs: int, labels: torch.Tensor, seed: int) -> Iterator[tuple[float, float]]:
    """Seconds of binning and of kernel bounds for each epoch."""
    for gain in np.geomspace(*GAINS, epochs):
        states = layers(points, gain, seed)
        start = time.perf_counter()
        for layer in states:
            binned_layer(layer, labels)
        binned = time.perf_counter()
        for layer in states:
            kde_layer(layer, labels, VARIANCE)
        yield binned - start, time.perf_counter() - binned


def compare(points: int, labels: torch.Tensor, seed: int) -> None:
    """Both forms of the kernel bounds: values in float64, seconds also in float32, as in the published code."""
    print("\ngain   largest difference of a bound   two passes (float32)   (float64)   ours      faster")
    for gain in (GAINS[0], 2.0, GAINS[1]):
        states = layers(points, gain, seed)
        spent, found = {}, {}
        for name, form in (
            ("single", lambda layer: two_pass(layer, labels)),
            ("double", lambda layer: two_pass(layer.double(), labels)),
            ("ours", lambda layer: bits(kde_layer(layer, labels, VARIANCE))),
        ):
            start = time.perf_counter()
            found[name] = np.array([form(layer) for layer in states])
            spent[name] = time.perf_counter() - start
        difference = np.abs(found["ours"] - found["double"]).max()
        print(
            f"{gain:4.1f} {difference:24.1e} bits {spent['single']:20.2f} s {spent['double']:9.2f} s"
            f" {spent['ours']:6.2f} s {spent['single'] / spent['ours']:6.1f} times"
        )


def main() -> None:
    """Prints seconds, differences and speed-up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=4096, help="number of inputs, at most 4,096")
    parser.add_argument("--epochs", type=int, default=400, help="number of measured epochs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="64 inputs, 2 epochs")
    options = parser.parse_args()
    if options.smoke:
        options.points, options.epochs = 64, 2
    torch.set_num_threads(options.threads)
    labels = torch.as_tensor(np.bitwise_count(np.arange(options.points)) % 2).long()
    seconds = np.array(list(plane(options.points, options.epochs, labels, options.seed)))
    print(f"{len(WIDTHS) - 1} layers, {options.points:,} inputs, {options.epochs} epochs, {options.threads} thread(s)")
    for name, spent in zip(("binning, 30 edges", "kernel bounds, lower and upper"), seconds.T, strict=True):
        print(f"  {name:32} {spent.sum():7.1f} s   {1000 * spent.mean():6.1f} ms per epoch")
    compare(options.points, labels, options.seed)


if __name__ == "__main__":
    main()
