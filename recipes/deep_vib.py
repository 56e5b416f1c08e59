"""How few bits of an image does a digit classifier need? The deep variational information bottleneck on MNIST.

After Alemi et al. (2017). One network for each beta, evaluated with one sample of its code and with 12, with the last
weights ("raw") and their moving average ("avg"); upper bound of I(Z;X), lower bound of I(Z;Y). --baselines adds the
network without noise, alone or with dropout, label smoothing or confidence penalty. Attacks: pixels in [0, 1], averaged
weights, the more harmful of the gradients. Rerun the same command to resume an interrupted training.

    python recipes/deep_vib.py MNIST --betas 1e-3 --learning-rate 3e-4 --baselines --out runs/deep_vib
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nmt_ib import DeepVIB, DeepVIBSettings, progress_bar, read_images, run_deep_vib

# Objective -> beta. Dropout as in Alemi et al.; label smoothing and confidence penalty: usual values, not tuned here.
BASELINES = {"deterministic": 0.0, "dropout": 0.5, "label smoothing": 0.1, "confidence penalty": 0.1}
HEADS = ("err 1 raw", "err 12 raw", "err 1 avg", "err 12 avg", "I(Z;X)", "I(Z;Y)")


def run(settings: DeepVIBSettings, train: Any, test: Any, out: Path) -> DeepVIB:
    """One network in its own directory."""
    name = f"{settings.objective.replace(' ', '-')}-{settings.beta:g}-{settings.width}"
    with progress_bar(name, settings.epochs) as advance:
        return run_deep_vib(train, test, out / name, settings=settings, after_epoch=lambda loss: advance(1))


def name_of(result: DeepVIB) -> str:
    """Objective and beta."""
    return f"{result.settings['objective']} {result.settings['beta']:g}"


def report(results: list[DeepVIB]) -> None:
    """Error rates and bounds, then accuracy under attack."""
    print(f"{'':24}" + "".join(f"{head:>11}" for head in HEADS))
    for result in results:
        errors = [
            100 * error
            for weights in (result.raw, result.averaged)
            for error in (weights.error_one_sample, weights.error_all_samples)
        ]
        rate = "" if result.averaged.izx_bits is None else f"{result.averaged.izx_bits:.2f}"
        cells = [*(f"{error:.2f} %" for error in errors), rate, f"{result.averaged.izy_bits:.3f}"]
        print(f"{name_of(result):24}" + "".join(f"{cell:>11}" for cell in cells))
    for attack in ("FGSM", "L2 PGD"):
        curves = [[curve for curve in result.attacks if curve.attack == attack] for result in results]
        first = curves[0][0]
        print(f"\nAccuracy (%) under {attack} by size, {first.images} images; last column: images with zero gradient")
        print(f"{'':24}" + "".join(f"{size:>6g}" for size in first.sizes))
        for result, gradients in zip(results, curves, strict=True):
            lowest = [100 * min(values) for values in zip(*(curve.accuracies for curve in gradients), strict=True)]
            unchanged = 100 * min(curve.unchanged for curve in gradients)
            print(f"{name_of(result):24}" + "".join(f"{accuracy:6.1f}" for accuracy in lowest) + f"{unchanged:8.1f} %")


def main() -> None:
    """Trains, evaluates and attacks the networks; writes results.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=Path, help="directory of idx files, gzipped or not")
    parser.add_argument("--latent", type=int, default=256, help="dimensions of the code")
    parser.add_argument("--betas", type=float, nargs="*", default=[1e-3], help="weights of the rate, nats per image")
    parser.add_argument("--baselines", action="store_true", help="add the four networks without noise")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("runs/deep_vib"))
    parser.add_argument("--smoke", action="store_true", help="20 images, 16 hidden units, one epoch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train, test = read_images(options.mnist, "train"), read_images(options.mnist, "test")
    shared = DeepVIBSettings(
        width=options.latent, epochs=options.epochs, learning_rate=options.learning_rate, seed=options.seed
    )
    if options.smoke:
        train, test, shared = train.first(20), test.first(20), replace(shared, hidden=16, epochs=1)
    trainings = [replace(shared, beta=beta) for beta in options.betas]
    if options.baselines:
        trainings += [replace(shared, objective=name, beta=beta) for name, beta in BASELINES.items()]
    results = [run(training, train, test, options.out) for training in trainings]
    report(results)
    (options.out / "results.json").write_text(json.dumps([result.to_dict() for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
