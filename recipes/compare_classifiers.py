"""Which words do four classifiers keep, to which layer, and since when in training? As Guan et al. (2019), section 4.

The paper's figures say: BERT keeps the salient words to its deepest layers, CNN and LSTM forget words early, function
words go first, and training makes the difference. Here are the same four kinds of model on the same sentences, by
`train_sst2.py`, and each kind's way there, epoch by epoch. Layers of one model compare with each other; bits of two
models do not have one scale, so what is compared is each layer's share of the first layer's.

    python recipes/compare_classifiers.py sentences-dev.tsv.gz runs/sst2 --out runs/compared
"""

import argparse
from itertools import islice
from math import nan
from pathlib import Path

from scipy.stats import spearmanr
from sst2_models import KINDS, Classifier, load, save, untrained

import nmt_ib
from nmt_ib.data.classification import read_labelled
from nmt_ib.reports.png.retention import write_retention_figures
from nmt_ib.results.retention import Retention

OPEN, CLOSED = "open class", "closed class"


def layers(name: str, found: Retention) -> None:
    """The layers of one model, a line each."""
    for layer in found.summary.layers:
        low, high = layer.interval
        print(
            f"{name:12} {layer.name:10} {layer.bits:7.0f} [{low:.0f}, {high:.0f}] kept {layer.kept:4.0%}  "
            f"open {layer.kept_by_class.get(OPEN, nan):4.0%}  closed {layer.kept_by_class.get(CLOSED, nan):4.0%}  "
            f"forgotten {layer.forgotten:4.0%}  concentration {layer.concentration:.3f}",
            flush=True,
        )


def last_bits(found: Retention) -> list[float]:
    """Bits of every word at the last layer."""
    return [word.bits[-1] for sentence in found for word in sentence.words]


def measured(model: Classifier, texts: list[str]) -> Retention:
    """What each layer keeps."""
    return nmt_ib.retain(model, texts, repetitions=1)


def main() -> None:
    """Prints a row for each layer of each model, then for the last layer of each epoch; writes the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", help="label and sentence, as SST-2 has them")
    parser.add_argument("models", type=Path, help="what train_sst2.py wrote")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--epoch-count", type=int, default=30, help="sentences for the figures over training")
    parser.add_argument("--out", type=Path, help="where the figures go")
    parser.add_argument("--smoke", action="store_true", help="3 sentences, an untrained model")
    options = parser.parse_args()
    count, few = (3, 2) if options.smoke else (options.count, options.epoch_count)
    texts = [text for text, _ in islice(read_labelled(options.sentences), count)]
    kinds = [kind for kind in KINDS if (options.models / kind).is_dir()]
    if options.smoke:
        kinds = ["bilstm"]
        save(untrained("bilstm", texts), options.models / "bilstm")
    found = {kind: measured(load(options.models / kind), texts) for kind in kinds}
    for kind, retention in found.items():
        layers(kind, retention)
    for kind, retention in found.items():
        others = {other: spearmanr(last_bits(retention), last_bits(found[other])).statistic for other in kinds}
        print(
            f"{kind:12} rank correlation of words' bits at the last layer:", {k: round(v, 2) for k, v in others.items()}
        )
    curves = {}
    for kind in kinds:
        for folder in sorted((options.models / kind).glob("epoch-*"), key=lambda path: int(path.name[6:])):
            retention = measured(load(folder), texts[:few])
            curves[f"{kind} {folder.name}"] = retention.summary
            last = retention.summary.layers[-1]
            gap = last.kept_by_class.get(OPEN, nan) - last.kept_by_class.get(CLOSED, nan)
            print(f"{kind:12} {folder.name:8} {last.name}: kept {last.kept:4.0%}, open - closed {gap:+.0%}", flush=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        write_retention_figures(options.out, {kind: one.summary for kind, one in found.items()}, found[kinds[0]])
        for kind in kinds:
            (options.out / kind).mkdir(exist_ok=True)
            epochs = {name: summary for name, summary in curves.items() if name.startswith(f"{kind} ")}
            write_retention_figures(options.out / kind, epochs, ())


if __name__ == "__main__":
    main()
