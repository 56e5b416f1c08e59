"""What does a tag encode of a word as beta grows, and which distinctions are lost first?

Trains one parser per beta, then prints scores, rate, the recall of a linear probe for each part of speech on sampled
tags, the most frequent confusions, and nearest neighbours of some words. Writes figures as in Li and Eisner (2019):
scores against bits, and t-SNE of the tags at three betas; for discrete tags a table of each tag's words.

    python recipes/specialization.py en_ewt-ud-train.conllu.gz en_ewt-ud-dev.conllu.gz --out runs/specialization
    python recipes/specialization.py TRAIN DEV --tags discrete --betas 0.001 0.01 0.1 --out runs/discrete
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
import torch

import nmt_ib
from nmt_ib import CompressionSweep, ParsingCorpus, load_parser

NEIGHBOURS_OF = 4  # words
CONFUSIONS = 6


def print_probes(sweep: CompressionSweep, folder: Path, train: ParsingCorpus, dev: ParsingCorpus) -> None:
    """One line per beta with scores and recalls, then the most frequent confusions."""
    probes = [nmt_ib.probe_pos(load_parser(folder / point.directory).model, train, dev) for point in sweep.points]
    names = sorted(probes[0].recall, key=lambda name: -probes[0].recall[name])
    print(f"{'beta':>8}{'bits':>8}{'UAS':>7}{'LAS':>7}{'POS':>7}" + "".join(f"{name:>6}" for name in names))
    for point, probe in zip(sweep.points, probes, strict=True):
        bits = "-" if point.bits_per_token is None else f"{point.bits_per_token:.2f}"
        recall = "".join(f"{probe.recall[name]:>6.2f}" for name in names)
        print(f"{point.beta:>8g}{bits:>8}{point.uas:>7.3f}{point.las:>7.3f}{probe.accuracy:>7.3f}{recall}")
    for point, probe in zip(sweep.points, probes, strict=True):
        confusions = (f"{gold} -> {other} {share:.0%}" for gold, other, share in probe.confusions[:CONFUSIONS])
        print(f"beta {point.beta:g}, confusions: {', '.join(confusions) or 'none'}")


def print_tags(sweep: CompressionSweep, folder: Path, dev: ParsingCorpus) -> None:
    """How well discrete tags match parts of speech."""
    for point in sweep.points:
        table = nmt_ib.tag_table(load_parser(folder / point.directory).model, dev)
        print(
            f"beta {point.beta:g}: {len(table)} tags in use, H(T) {table.entropy_bits:.2f} bits, homogeneity "
            f"{table.homogeneity:.3f}, completeness {table.completeness:.3f}, V-measure {table.v_measure:.3f}"
        )


def draw_tags(sweep: CompressionSweep, folder: Path, dev: ParsingCorpus, count: int) -> Path:
    """Prints neighbours of some words and draws a random sample of words, at three betas."""
    forms, upos = ([word for tree in dev.trees for word in getattr(tree, name)] for name in ("forms", "upos"))
    sample = np.random.default_rng(0).permutation(len(forms))[:count]
    panels, last = {}, len(sweep.points) - 1
    for point in (sweep.points[index] for index in sorted({0, (last + 1) // 2, last})):
        tags = nmt_ib.sampled_tags(load_parser(folder / point.directory).model, dev)
        title = f"beta {point.beta:g}: {point.bits_per_token:.3g} bits per word, LAS {point.las:.1%}"
        panels[title] = nmt_ib.tsne(tags[sample])
        for word in sample[:NEIGHBOURS_OF].tolist():
            neighbours = " ".join(forms[other] for other in nmt_ib.nearest_words(tags, word))
            print(f"beta {point.beta:g}, nearest to {forms[word]!r} ({upos[word]}): {neighbours}")
    return nmt_ib.write_tag_pictures(folder, panels, [upos[word] for word in sample])[0]


def main() -> None:
    """Trains the parsers, prints the tables and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", help="training treebank")
    parser.add_argument("dev", help="development treebank, for all scores and tables")
    parser.add_argument("--embedder", default="builtin:minilm")
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--tags", default="continuous", choices=["continuous", "discrete"])
    parser.add_argument("--betas", type=float, nargs="+", default=[1e-3, 1e-2, 0.1, 0.3, 1.0])
    parser.add_argument("--sentences", type=int, default=2000, help="size of the random sample of training sentences")
    parser.add_argument("--dev-sentences", type=int, default=1000, help="number of first development sentences")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--pictured", type=int, default=2500, help="number of words in the figure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/specialization"))
    parser.add_argument("--smoke", action="store_true", help="one epoch, few sentences and words")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.dev_sentences, options.epochs, options.pictured = 20, 20, 1, 60
    torch.set_num_threads(1)
    embedder = nmt_ib.load_embedder(options.embedder)
    trees = nmt_ib.sample_sentences(list(nmt_ib.read_conllu(options.train)), options.sentences, options.seed)
    dev_trees = list(islice(nmt_ib.read_conllu(options.dev), options.dev_sentences))
    sweep = nmt_ib.compress(
        trees, dev_trees, embedder=embedder, layer=options.layer, tags=options.tags, beta=options.betas,
        epochs=options.epochs, seed=options.seed, progress=True, out=options.out,
    )  # fmt: skip
    train = nmt_ib.embed_treebank(trees, embedder, [options.layer])
    dev = nmt_ib.embed_treebank(dev_trees, embedder, [options.layer], train.labels)
    print_probes(sweep, options.out, train, dev)
    if options.tags == "discrete":
        print_tags(sweep, options.out, dev)
    print(f"Figures: {options.out / 'sweep.png'}, {draw_tags(sweep, options.out, dev, options.pictured)}")


if __name__ == "__main__":
    main()
