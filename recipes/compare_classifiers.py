"""Which words do four classifiers keep, up to which layer, and since which epoch? As Guan et al. (2019), section 4.

Their figures suggest: BERT keeps salient words up to its deepest layers, CNN and LSTM forget words early, function
words go first, and training makes the difference. Here: the same four kinds of models on the same sentences, trained by
`train_sst2.py`, and each kind epoch by epoch. Bits of two models have no common scale, so models are compared by each
layer's share of the first layer's bits.

    python recipes/compare_classifiers.py sentences-dev.tsv.gz runs/sst2 --out runs/compared
"""

import argparse
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from scipy.stats import spearmanr
from sst2_models import KINDS, load, save, untrained

from nmt_ib import Retention, read_labelled, retain

OPEN, CLOSED = "open class", "closed class"


def measure(folders: list[Path], texts: list[str], out: Path | None) -> list[Retention]:
    """What the layers of each classifier keep; the figures compare the classifiers."""
    first, *others = map(load, folders)
    retention = retain(first, texts, compare=others, repetitions=1, progress=True, out=out)
    return [retention, *retention.compared]


def print_layers(kind: str, retention: Retention) -> None:
    """The layers of one model, one per line."""
    for layer in retention.summary.layers:
        low, high = layer.interval
        classes = "".join(f"  {name} {share:4.0%}" for name, share in layer.kept_by_class.items())
        print(
            f"{kind:12} {layer.name:10} {layer.bits:7.0f} [{low:.0f}, {high:.0f}] bits  kept {layer.kept:4.0%}{classes}"
            f"  forgotten {layer.forgotten:4.0%}  concentration {layer.concentration:.3f}"
        )


def last_bits(retention: Retention) -> dict[tuple[int, int, int], float]:
    """Bits of every word at the last layer, by sentence and span: tokenizers segment some words differently."""
    return {(line.index, word.start, word.end): word.bits[-1] for line in retention for word in line.words}


def print_correlations(retentions: dict[str, Retention]) -> None:
    """Whether two models keep the same words up to their last layers, one model per line."""
    bits = {kind: last_bits(retention) for kind, retention in retentions.items()}
    print(f"{'':12} rank correlation of words' bits at the last layer")
    print(f"{'':12}" + "".join(f"{kind:>12}" for kind in bits))
    for kind, own in bits.items():
        both = [(own.keys() & others.keys(), others) for others in bits.values()]
        ranks = [spearmanr([own[w] for w in words], [others[w] for w in words]).statistic for words, others in both]
        print(f"{kind:12}" + "".join(f"{rank:>12.2f}" for rank in ranks))


def print_epochs(kind: str, folders: list[Path], texts: list[str], out: Path | None) -> None:
    """What the last layer of each checkpoint keeps, one checkpoint per line."""
    for folder, retention in zip(folders, measure(folders, texts, out), strict=True):
        last = retention.summary.layers[-1]
        shares = last.kept_by_class
        gap = f", open - closed {shares[OPEN] - shares[CLOSED]:+.0%}" if {OPEN, CLOSED} <= shares.keys() else ""
        print(f"{kind:12} {folder.name:8} {last.name}: kept {last.kept:4.0%}{gap}", flush=True)


def compare(folders: dict[str, Path], texts: list[str], epoch_count: int, out: Path | None) -> None:
    """The trained models, then their checkpoints."""
    results = measure(list(folders.values()), texts, out and out / "trained")
    retentions = dict(zip(folders, results, strict=True))
    for kind, retention in retentions.items():
        print_layers(kind, retention)
    print_correlations(retentions)
    for kind, folder in folders.items():
        if epochs := sorted(folder.glob("epoch-*"), key=lambda path: int(path.name[6:])):
            print_epochs(kind, epochs, texts[:epoch_count], out and out / kind)


def main() -> None:
    """Prints one line per layer of each model, then one per epoch; writes runs with reports and figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", help="labels and sentences, as in SST-2")
    parser.add_argument("models", type=Path, help="output directory of train_sst2.py")
    parser.add_argument("--count", type=int, default=100, help="number of sentences")
    parser.add_argument("--epoch-count", type=int, default=30, help="number of sentences for each epoch")
    parser.add_argument("--out", type=Path, help="directory for a run of the models, and one of each kind's epochs")
    parser.add_argument("--smoke", action="store_true", help="3 sentences, untrained models; MODELS is not read")
    options = parser.parse_args()
    texts = [text for text, _ in islice(read_labelled(options.sentences), 3 if options.smoke else options.count)]
    if not options.smoke:
        folders = {kind: options.models / kind for kind in KINDS if (options.models / kind).is_dir()}
        if not folders:
            parser.error(f"{options.models} holds none of {', '.join(KINDS)}: make them with train_sst2.py")
        compare(folders, texts, options.epoch_count, options.out)
        return
    with TemporaryDirectory() as temporary:
        folders = {kind: Path(temporary) / kind for kind in ("bilstm", "cnn")}
        for kind in folders:
            save(untrained(kind, texts), folders[kind])
        save(untrained("bilstm", texts), folders["bilstm"] / "epoch-1")
        compare(folders, texts, 2, options.out)


if __name__ == "__main__":
    main()
