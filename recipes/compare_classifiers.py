"""Which words do four classifiers keep, to which layer, and since when in training? As Guan et al. (2019), section 4.

The paper's figures say: BERT keeps the salient words to its deepest layers, CNN and LSTM forget words early, function
words go first, and training makes the difference. Here are the same four kinds of model on the same sentences, by
`train_sst2.py`, and each kind's way there, epoch by epoch. Layers of one model compare with each other; bits of two
models do not have one scale, so what is compared is each layer's share of the first layer's.

    python recipes/compare_classifiers.py sentences-dev.tsv.gz runs/sst2 --out runs/compared
"""

import argparse
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from scipy.stats import spearmanr
from sst2_models import KINDS, Classifier, load, save, untrained

import nmt_ib
from nmt_ib.data.classification import read_labelled
from nmt_ib.reports.png.retention import write_retention_figures
from nmt_ib.results.retention import LayerRetention, Retention, RetentionSummary

OPEN, CLOSED = "open class", "closed class"


def layers(name: str, found: Retention) -> None:
    """The layers of one model, a line each."""
    for layer in found.summary.layers:
        low, high = layer.interval
        classes = "".join(f"  {kind} {share:4.0%}" for kind, share in layer.kept_by_class.items())
        print(
            f"{name:12} {layer.name:10} {layer.bits:7.0f} [{low:.0f}, {high:.0f}] kept {layer.kept:4.0%}{classes}  "
            f"forgotten {layer.forgotten:4.0%}  concentration {layer.concentration:.3f}",
            flush=True,
        )


def last_bits(found: Retention) -> dict[tuple[int, int, int], float]:
    """Bits of every word at the last layer, by sentence and place: vocabularies cut some words in two."""
    return {(line.index, word.start, word.end): word.bits[-1] for line in found for word in line.words}


def measured(model: Classifier, texts: list[str]) -> Retention:
    """What each layer keeps."""
    return nmt_ib.retain(model, texts, repetitions=1)


def against_each_other(found: dict[str, Retention]) -> None:
    """Whether two models keep the same words to their last layers, a line each."""
    bits = {kind: last_bits(retention) for kind, retention in found.items()}
    print(
        f"{'':12} rank correlation of words' bits at the last layer\n{'':12}" + "".join(f"{kind:>12}" for kind in bits)
    )
    for kind, own in bits.items():
        both = [(own.keys() & others.keys(), others) for others in bits.values()]
        ranks = [spearmanr([own[w] for w in words], [others[w] for w in words]).statistic for words, others in both]
        print(f"{kind:12}" + "".join(f"{rank:>12.2f}" for rank in ranks))


def over_training(kind: str, folder: Path, texts: list[str]) -> dict[str, RetentionSummary]:
    """What each checkpoint of a model keeps, a line each."""
    curves = {}
    for epoch in sorted(folder.glob("epoch-*"), key=lambda path: int(path.name[6:])):
        summary = curves[f"{kind} {epoch.name}"] = measured(load(epoch), texts).summary
        last = summary.layers[-1]
        print(f"{kind:12} {epoch.name:8} {last.name}: kept {last.kept:4.0%}{gap(last)}", flush=True)
    return curves


def gap(layer: LayerRetention) -> str:
    """By how much words of open classes outlive function words, where there are both."""
    shares = layer.kept_by_class
    return f", open - closed {shares[OPEN] - shares[CLOSED]:+.0%}" if {OPEN, CLOSED} <= shares.keys() else ""


def compare(folders: dict[str, Path], texts: list[str], few: int, out: Path | None) -> None:
    """The models as they are, then their way there; the figures of both."""
    found = {kind: measured(load(folder), texts) for kind, folder in folders.items()}
    for kind, retention in found.items():
        layers(kind, retention)
    against_each_other(found)
    curves = {kind: over_training(kind, folder, texts[:few]) for kind, folder in folders.items()}
    if out:
        out.mkdir(parents=True, exist_ok=True)
        write_retention_figures(out, {kind: one.summary for kind, one in found.items()}, next(iter(found.values())))
        for kind, epochs in curves.items():
            if epochs:
                (out / kind).mkdir(exist_ok=True)
                write_retention_figures(out / kind, epochs, ())


def main() -> None:
    """Prints a row for each layer of each model, then for the last layer of each epoch; writes the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", help="label and sentence, as SST-2 has them")
    parser.add_argument("models", type=Path, help="what train_sst2.py wrote")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--epoch-count", type=int, default=30, help="sentences for the figures over training")
    parser.add_argument("--out", type=Path, help="where the figures go")
    parser.add_argument("--smoke", action="store_true", help="3 sentences, untrained models; MODELS is not touched")
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
