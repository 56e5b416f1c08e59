"""How few bits of a digit does its name need? The deep variational information bottleneck (Alemi et al. 2017) on MNIST.

For each beta one network, trained and then evaluated with one sample of its code and with 12, with the last weights
("raw") and their moving average ("avg"); I(Z;X) from above, I(Z;Y) from below. --baselines adds the same network
without noise, alone or with dropout, label smoothing or confidence penalty. Attacks: pixels in [0, 1], the averaged
weights, and of the gradients that were followed the one that did more harm. beta is in nats of cross-entropy a nat of
rate, both an image. A run that is killed goes on with the same command.

    python recipes/deep_vib.py MNIST --betas 1e-3 --learning-rate 3e-4 --baselines --out runs/deep_vib
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

from nmt_ib.data.images import ImageSet, read_images
from nmt_ib.deep_vib.training import TrainingSettings
from nmt_ib.progress import progress_bar
from nmt_ib.results.deep_vib import DeepVIB
from nmt_ib.studies.deep_vib import deep_vib

# Their betas; see TrainingSettings. Half the units: Alemi et al.'s dropout; .1 and .1: usual, not tuned here.
BASELINES = {"deterministic": 0.0, "dropout": 0.5, "label smoothing": 0.1, "confidence penalty": 0.1}
HEADS = ("err 1 raw", "err 12 raw", "err 1 avg", "err 12 avg", "I(Z;X)", "I(Z;Y)")


def run(settings: TrainingSettings, train: ImageSet, test: ImageSet, out: Path) -> DeepVIB:
    """One network in a directory of its own."""
    name = f"{settings.objective.replace(' ', '-')}-{settings.beta:g}-{settings.width}"
    with progress_bar(name, settings.epochs) as advance:
        return deep_vib(train, test, out / name, settings=settings, after_epoch=lambda loss: advance(1))


def name_of(found: DeepVIB) -> str:
    """Objective and strength."""
    return f"{found.settings['objective']} {found.settings['beta']:g}"


def report(results: list[DeepVIB]) -> None:
    """Errors and bounds, then accuracy under attack."""
    print(f"{'':24}" + "".join(f"{head:>11}" for head in HEADS))
    for found in results:
        errors = [
            100 * error
            for weights in (found.raw, found.averaged)
            for error in (weights.error_one_sample, weights.error_all_samples)
        ]
        rate = "" if found.averaged.izx_bits is None else f"{found.averaged.izx_bits:.2f}"
        cells = [*(f"{error:.2f} %" for error in errors), rate, f"{found.averaged.izy_bits:.3f}"]
        print(f"{name_of(found):24}" + "".join(f"{cell:>11}" for cell in cells))
    for attack in ("FGSM", "L2 PGD"):
        curves = [[curve for curve in found.attacks if curve.attack == attack] for found in results]
        first = curves[0][0]
        print(f"\nAccuracy (%) under {attack} of size, {first.images} images; last: images without a gradient")
        print(f"{'':24}" + "".join(f"{size:>6g}" for size in first.sizes))
        for found, ways in zip(results, curves, strict=True):
            lowest = [100 * min(accuracies) for accuracies in zip(*(way.accuracies for way in ways), strict=True)]
            unchanged = 100 * min(way.unchanged for way in ways)
            print(f"{name_of(found):24}" + "".join(f"{accuracy:6.1f}" for accuracy in lowest) + f"{unchanged:8.1f} %")


def main() -> None:
    """Trains, evaluates, attacks; results.json holds every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=Path, help="directory of idx files, gzipped or not")
    parser.add_argument("--latent", type=int, default=256, help="numbers in a code")
    parser.add_argument("--betas", type=float, nargs="*", default=[1e-3])
    parser.add_argument("--baselines", action="store_true", help="the same network without noise, four ways")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("runs/deep_vib"))
    parser.add_argument("--smoke", action="store_true", help="20 images, 16 hidden units, one epoch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train, test = read_images(options.mnist, "train"), read_images(options.mnist, "test")
    shared = TrainingSettings(
        width=options.latent, epochs=options.epochs, learning_rate=options.learning_rate, seed=options.seed
    )
    if options.smoke:
        train, test, shared = train.first(20), test.first(20), replace(shared, hidden=16, epochs=1)
    trainings = [replace(shared, beta=beta) for beta in options.betas]
    if options.baselines:
        trainings += [replace(shared, objective=name, beta=beta) for name, beta in BASELINES.items()]
    results = [run(training, train, test, options.out) for training in trainings]
    report(results)
    (options.out / "results.json").write_text(json.dumps([found.to_dict() for found in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
