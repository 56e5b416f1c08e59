"""How few bits of an encoder does a parser need? Bottlenecks against what they must beat, from little data to all.

Each method is tuned over the same learning rates on the development set with the first seed; the best epoch of each
training is chosen there, too. The test set is scored whole, as the official scorer counts. The paper's figures are
for ELMo and older treebanks, scored on short sentences only: the order of methods compares, not the numbers.

    python recipes/parser_baselines.py en_ewt-ud-train.conllu.gz en_ewt-ud-dev.conllu.gz en_ewt-ud-test.conllu.gz \
        --sizes 200 500 1000 --out runs/parsing
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev

import torch

from nmt_ib.compression.corpus import Labels, ParsingCorpus
from nmt_ib.compression.kinds import TagSettings
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.saved import load_parser
from nmt_ib.compression.training import TrainingSettings
from nmt_ib.data.conllu import read_conllu
from nmt_ib.models.loading import load_embedder
from nmt_ib.protocols import Embedder
from nmt_ib.studies.compressed_parsing import CompressionStudy, embedded, measured, sampled
from nmt_ib.studies.specialization import tag_table
from nmt_ib.types import Tree

DIM, TAGS = 256, 64
# Name -> tags, price of a nat, and what Li and Eisner (2019) report for English with it.
METHODS = {
    "identity": (TagSettings("identity"), 0.0, 0.824),
    "pca": (TagSettings("pca", DIM), 0.0, 0.823),
    "mlp": (TagSettings("mlp", DIM), 0.0, 0.839),
    "mlp, dropout": (TagSettings("mlp", DIM, dropout=0.33), 0.0, None),
    "continuous": (TagSettings("continuous", DIM), 1e-2, None),
    "continuous, deep": (TagSettings("continuous", DIM, deep=True), 1e-2, 0.851),
    "gold pos": (TagSettings("pos", DIM), 0.0, 0.712),
    "discrete": (TagSettings("discrete", DIM, TAGS), 1e-3, None),
    "discrete, deep": (TagSettings("discrete", DIM, TAGS, deep=True), 1e-3, 0.742),
    "random tags": (TagSettings("random", DIM, TAGS), 0.0, None),
}


class Bench:
    """Trains parsers and remembers what each came to, so that a killed run goes on."""

    def __init__(self, trees: dict[str, list[Tree]], embedder: Embedder, options: argparse.Namespace) -> None:
        self.trees, self.embedder, self.options = trees, embedder, options
        self.layers = [options.layer]
        self.path = options.out / "rows.jsonl"
        self.rows = [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def corpora(self, size: int, seed: int) -> tuple[ParsingCorpus, ParsingCorpus, ParsingCorpus]:
        """Training sentences, development sentences, test set."""
        train = sampled(self.trees["train"], size or None, seed)
        labels = Labels.of(train)
        found = (train, self.trees["dev"][: self.options.dev_sentences or None], self.trees["test"])
        return tuple(embedded(trees, self.embedder, self.layers, labels) for trees in found)  # type: ignore[return-value]

    def row(self, method: str, size: int, seed: int, rate: float) -> dict:
        """What one training came to."""
        key = {"method": method, "size": size, "seed": seed, "rate": rate, "layer": self.options.layer}
        for row in self.rows:
            if {name: row[name] for name in key} == key:
                return row
        tags, beta, _ = METHODS[method]
        training = TrainingSettings(self.options.epochs, learning_rate=rate, patience=self.options.patience, seed=seed)
        study = CompressionStudy(tags, Objective(beta), training=training)
        corpora = self.corpora(size, seed)
        config = study.config(self.embedder, self.layers, corpora[0])
        folder = self.options.out / f"{method.replace(', ', '-')}-{size or 'all'}-seed-{seed}-rate-{rate:g}"
        point = study.run(corpora[:2], config, folder)
        model = load_parser(folder)[1]
        row = key | {"dev_las": point.las, "epoch": point.epoch, "seconds": point.seconds}
        row |= asdict(measured(model, corpora[2]))
        if tags.kind == "discrete":
            table = tag_table(model, corpora[2])
            row |= {"v_measure": table.v_measure, "tags_used": len(table)}
        self.rows.append(row)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        return row

    def method(self, method: str, size: int) -> list[dict]:
        """All seeds at the learning rate that is best on the development set."""
        rates = {rate: self.row(method, size, 0, rate)["dev_las"] for rate in self.options.rates}
        best = max(rates, key=rates.__getitem__)
        return [self.row(method, size, seed, best) for seed in range(self.options.seeds)]


def spread(values: list[float]) -> str:
    """Mean and deviation."""
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def main() -> None:
    """Prints a line for each size and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("treebank", nargs=3, help="training, development and test set, CoNLL-U")
    parser.add_argument("--embedder", default="builtin:minilm")
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500], help="training sentences; 0: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rates", type=float, nargs="+", default=[2e-3, 4e-3])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--patience", type=int, default=15)
    parser.add_argument("--dev-sentences", type=int, default=600, help="the first so many decide; 0: all")
    parser.add_argument("--out", type=Path, default=Path("runs/parsing"))
    parser.add_argument("--smoke", action="store_true", help="one epoch of two methods on the first sentences")
    options = parser.parse_args()
    if options.smoke:
        options.methods, options.sizes, options.seeds, options.rates = ["identity", "discrete"], [10], 1, [4e-3]
        options.epochs = 1
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    trees = {
        role: list(read_conllu(path)) for role, path in zip(("train", "dev", "test"), options.treebank, strict=True)
    }
    bench = Bench(trees, load_embedder(options.embedder), options)
    print(f"{options.embedder}, layer {options.layer}; test set, {len(trees['test']):,} sentences")
    print(f"{'sentences':>9}  {'method':18}{'UAS':>15}{'LAS':>15}{'bits':>7}{'V':>6}{'paper':>7}  rate  epoch  seconds")
    for size in options.sizes:
        for method in options.methods:
            rows = bench.method(method, size)
            bits = [row["bits_per_token"] for row in rows if row["bits_per_token"] is not None]
            scores = [row["v_measure"] for row in rows if "v_measure" in row]
            paper = METHODS[method][2]
            print(
                f"{size or 'all':>9}  {method:18}{spread([row['uas'] for row in rows]):>15}"
                f"{spread([row['las'] for row in rows]):>15}{f'{mean(bits):.1f}' if bits else '-':>7}"
                f"{f'{mean(scores):.2f}' if scores else '-':>6}{paper if paper and not size else '-':>7}"
                f"{rows[0]['rate']:>6g}{mean([row['epoch'] for row in rows]):>7.0f}"
                f"{mean([row['seconds'] for row in rows]):>9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
