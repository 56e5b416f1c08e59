"""How few bits of an encoder does a parser need? Bottlenecks against baselines, from little training data to all.

Each method is tuned over the same learning rates and epochs on the development set. Scores are those of the official
scorer on the whole test set; the paper's are for ELMo and older treebanks, on short sentences only. Rerun to resume.

    python recipes/parser_baselines.py en_ewt-ud-train.conllu.gz en_ewt-ud-dev.conllu.gz en_ewt-ud-test.conllu.gz \
        --sizes 200 500 1000 --out runs/parsing
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev

import torch

import nmt_ib
from nmt_ib import CompressionObjective, CompressionStudy, ParserTraining, ParsingCorpus, TagSettings, Tree
from nmt_ib.benchmark import score_parser

DIM, TAGS = 256, 64
LANGUAGES = ["en", "pt", "fr"]
# Name -> tags, beta, and LAS of Li and Eisner (2019) by language: from memory, not checked.
METHODS = {
    "identity": (TagSettings("identity"), 0.0, (0.824, 0.813, 0.784)),
    "pca": (TagSettings("pca", DIM), 0.0, (0.823, 0.808, 0.749)),
    "mlp": (TagSettings("mlp", DIM), 0.0, (0.839, 0.821, 0.816)),
    "mlp, dropout": (TagSettings("mlp", DIM, dropout=0.33), 0.0, None),
    "continuous": (TagSettings("continuous", DIM), 1e-2, None),
    "continuous, 3e-3": (TagSettings("continuous", DIM), 3e-3, None),
    "continuous, deep": (TagSettings("continuous", DIM, deep=True), 1e-2, (0.851, 0.836, 0.828)),
    "gold pos": (TagSettings("pos", DIM), 0.0, (0.712, 0.743, 0.718)),
    "discrete": (TagSettings("discrete", DIM, TAGS), 1e-3, None),
    "discrete, 32": (TagSettings("discrete", DIM, 32), 1e-2, None),
    "discrete, deep": (TagSettings("discrete", DIM, TAGS, deep=True), 1e-3, (0.742, 0.710, 0.723)),
    "random tags": (TagSettings("random", DIM, TAGS), 0.0, None),
}


class Bench:
    """Trains parsers and stores the scores of each, so that an interrupted run can be resumed."""

    def __init__(self, trees: dict[str, list[Tree]], options: argparse.Namespace) -> None:
        self.trees, self.options = trees, options
        self.embedder = nmt_ib.load_embedder(options.embedder)
        self.path = options.out / "rows.jsonl"
        self.rows = [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def corpora(self, size: int, seed: int) -> tuple[ParsingCorpus, ParsingCorpus, ParsingCorpus]:
        """A sample of the training set, the first sentences of the development set, the test set."""
        layers, labels, corpora = [self.options.layer], None, []
        train = nmt_ib.sample_sentences(self.trees["train"], size or None, seed)
        for trees in (train, self.trees["dev"][: self.options.dev_sentences or None], self.trees["test"]):
            corpora.append(nmt_ib.embed_treebank(trees, self.embedder, layers, labels))
            labels = corpora[0].labels
        return tuple(corpora)

    def row(self, method: str, size: int, seed: int, rate: float) -> dict:
        """Scores of one parser."""
        given = ("treebank", "embedder", "layer", "epochs", "dev_sentences")
        key = {"method": method, "size": size, "seed": seed, "rate": rate}
        key |= {name: getattr(self.options, name) for name in given}
        for row in self.rows:
            if {name: row.get(name) for name in key} == key:
                return row
        tags, beta, _ = METHODS[method]
        training = ParserTraining(self.options.epochs, learning_rate=rate, seed=seed)
        study = CompressionStudy(tags, CompressionObjective(beta), training=training)
        corpora = self.corpora(size, seed)
        config = study.config(self.embedder, [self.options.layer], corpora[0])
        name = f"{method.replace(', ', '-')}-{size or 'all'}-seed-{seed}-rate-{rate:g}"
        folder = self.options.out / f"layer-{self.options.layer}" / name
        start, point = time.perf_counter(), study.train(corpora[:2], config, folder)
        row = key | {"dev_las": point.las, "epoch": point.epoch, "seconds": time.perf_counter() - start}
        row |= asdict(score_parser(model := nmt_ib.load_parser(folder).model, corpora[2]))
        if tags.kind == "discrete":
            table = nmt_ib.tag_table(model, corpora[2])
            row |= {"v_measure": table.v_measure, "tags_used": len(table)}
        self.rows.append(row)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        return row

    def method(self, method: str, size: int) -> list[dict]:
        """All seeds at the learning rate with the best LAS on the development set."""
        rates = {rate: self.row(method, size, 0, rate)["dev_las"] for rate in self.options.rates}
        best = max(rates, key=rates.__getitem__)
        return [self.row(method, size, seed, best) for seed in range(self.options.seeds)]


def spread(values: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def line(method: str, size: int, rows: list[dict], language: str | None) -> str:
    """Scores of a method, mean over seeds."""
    bits = [row["bits_per_token"] for row in rows if row["bits_per_token"] is not None]
    scores = [row["v_measure"] for row in rows if "v_measure" in row]
    paper = METHODS[method][2] if language and not size else None
    las, uas, epoch, seconds = ([row[name] for row in rows] for name in ("las", "uas", "epoch", "seconds"))
    return (
        f"{size or 'all':>9}  {method:18}{spread(uas):>15}{spread(las):>15}{f'{mean(bits):.1f}' if bits else '-':>7}"
        f"{f'{mean(scores):.2f}' if scores else '-':>6}{paper[LANGUAGES.index(language)] if paper else '-':>7}"
        f"{rows[0]['rate']:>6g}{mean(epoch):>7.0f}{mean(seconds):>9.0f}"
    )


def main() -> None:
    """Prints one line per size and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("treebank", nargs=3, help="training, development and test set, CoNLL-U")
    parser.add_argument("--language", choices=LANGUAGES, help="language of the paper's scores in the table")
    parser.add_argument("--embedder", default="builtin:minilm")
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500], help="numbers of training sentences; 0: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rates", type=float, nargs="+", default=[2e-3, 4e-3], help="learning rates")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--dev-sentences", type=int, default=600, help="number of development sentences; 0: all")
    parser.add_argument("--out", type=Path, default=Path("runs/parsing"))
    parser.add_argument("--smoke", action="store_true", help="one epoch of two methods on 10 sentences")
    options = parser.parse_args()
    if options.smoke:
        options.methods, options.sizes, options.seeds, options.epochs = ["identity", "discrete"], [10], 1, 1
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    trees = {
        role: list(nmt_ib.read_conllu(path))
        for role, path in zip(("train", "dev", "test"), options.treebank, strict=True)
    }
    bench = Bench(trees, options)
    print(f"{options.embedder}, layer {options.layer}; test set, {len(trees['test']):,} sentences")
    print(f"{'sentences':>9}  {'method':18}{'UAS':>15}{'LAS':>15}{'bits':>7}{'V':>6}{'paper':>7}  rate  epoch  seconds")
    for size in options.sizes:
        for method in options.methods:
            print(line(method, size, bench.method(method, size), options.language), flush=True)


if __name__ == "__main__":
    main()
