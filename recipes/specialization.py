"""What does a tag keep of a word as bits get dearer, and which distinctions die first?

Trains a parser for each price, then prints scores, bits, and how many words of each part of speech a linear classifier
still finds in a sample of the tag; what is taken for what; the nearest neighbours of some words. Writes the paper's
pictures: scores against bits, and the tags at three prices; for discrete tags a table of each tag's words.

    python recipes/specialization.py en_ewt-ud-train.conllu.gz en_ewt-ud-dev.conllu.gz --out runs/specialization
    python recipes/specialization.py TRAIN DEV --tags discrete --betas 0.001 0.01 0.1 --out runs/discrete
"""

import argparse
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.kinds import TagSettings
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.saved import load_parser
from nmt_ib.compression.training import TrainingSettings
from nmt_ib.data.conllu import read_conllu
from nmt_ib.models.loading import load_embedder
from nmt_ib.progress import progress_bar
from nmt_ib.reports.png.parsing import write_sweep_figure, write_tag_pictures
from nmt_ib.results.parsing import CompressionPoint, CompressionSweep
from nmt_ib.studies.parsing.compression import CompressionStudy, compression_sweep
from nmt_ib.studies.parsing.specialization import (
    forms_and_upos,
    nearest_words,
    probe_pos,
    sampled_tags,
    tsne,
    write_tag_tables,
)
from nmt_ib.studies.parsing.treebank_vectors import embed_treebank
from nmt_ib.studies.parsing.treebanks import sample_sentences

NEIGHBOURS_OF = 4


def show_distinctions(
    points: Sequence[CompressionPoint], folder: Path, known: ParsingCorpus, unseen: ParsingCorpus
) -> None:
    """A line for each price, then what is taken for what."""
    found = [probe_pos(load_parser(folder / point.directory).model, known, unseen) for point in points]
    names = sorted(found[0].recall, key=lambda name: -found[0].recall[name])
    print(f"{'beta':>8}{'bits':>8}{'UAS':>7}{'LAS':>7}{'POS':>7}" + "".join(f"{name:>6}" for name in names))
    for point, one in zip(points, found, strict=True):
        bits = "-" if point.bits_per_token is None else f"{point.bits_per_token:.2f}"
        recall = "".join(f"{one.recall[name]:>6.2f}" for name in names)
        print(f"{point.beta:>8g}{bits:>8}{point.uas:>7.3f}{point.las:>7.3f}{one.accuracy:>7.3f}{recall}")
    for point, one in zip(points, found, strict=True):
        taken = ", ".join(f"{gold} -> {other} {share:.0%}" for gold, other, share in one.confusions[:6])
        print(f"beta {point.beta:g}: {taken}")


def show_tags(points: Sequence[CompressionPoint], folder: Path, unseen: ParsingCorpus) -> None:
    """How far discrete tags are parts of speech, and a table of them for each price."""
    for point, table in zip(points, write_tag_tables(folder, points, unseen), strict=True):
        print(
            f"beta {point.beta:g}: {len(table)} tags in use, H(T) {table.entropy_bits:.2f} bits, homogeneity "
            f"{table.homogeneity:.3f} (of H(POS)), completeness {table.completeness:.3f}, V {table.v_measure:.3f}"
        )


def main() -> None:
    """Prints the tables and writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", help="treebank to learn from")
    parser.add_argument("dev", help="treebank that everything is measured on")
    parser.add_argument("--embedder", default="builtin:minilm")
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--tags", default="continuous", choices=["continuous", "discrete"])
    parser.add_argument("--betas", type=float, nargs="+", default=[1e-3, 1e-2, 0.1, 0.3, 1.0])
    parser.add_argument("--sentences", type=int, default=2000, help="training sentences, drawn at random")
    parser.add_argument("--dev-sentences", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--pictured", type=int, default=2500, help="words in the pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/specialization"))
    parser.add_argument("--smoke", action="store_true", help="one epoch, few sentences and words")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.dev_sentences, options.epochs, options.pictured = 20, 20, 1, 60
    torch.set_num_threads(1)
    embedder = load_embedder(options.embedder)
    trees = sample_sentences(list(read_conllu(options.train)), options.sentences, options.seed)
    known = embed_treebank(trees, embedder, [options.layer])
    unseen = embed_treebank(
        list(islice(read_conllu(options.dev), options.dev_sentences)), embedder, [options.layer], known.labels
    )
    training = TrainingSettings(options.epochs, seed=options.seed)
    studies = [
        CompressionStudy(TagSettings(options.tags), Objective(beta), training=training) for beta in options.betas
    ]
    config = studies[0].config(embedder, [options.layer], known)
    with progress_bar("training: epochs", options.epochs * len(studies)) as advance:
        points = compression_sweep(studies, (known, unseen), config, options.out, after_epoch=lambda _: advance(1))
    show_distinctions(points, options.out, known, unseen)
    if options.tags == "discrete":
        show_tags(points, options.out, unseen)
    forms, upos = forms_and_upos(unseen)
    some = np.random.default_rng(0).permutation(len(forms))[: options.pictured]
    panels = {}
    for point in (points[place] for place in sorted({0, len(points) // 2, len(points) - 1})):
        values = sampled_tags(load_parser(options.out / point.directory).model, unseen)
        panels[f"beta {point.beta:g}: {point.bits_per_token:.3g} bits a word, LAS {point.las:.1%}"] = tsne(values[some])
        for word in some[:NEIGHBOURS_OF].tolist():
            near = " ".join(forms[other] for other in nearest_words(values, word))
            print(f"beta {point.beta:g}, near {forms[word]!r} ({upos[word]}): {near}")
    files = [
        *write_sweep_figure(options.out, CompressionSweep(points)),
        *write_tag_pictures(options.out, panels, [upos[word] for word in some]),
    ]
    print("Pictures: " + ", ".join(str(file) for file in files))


if __name__ == "__main__":
    main()
