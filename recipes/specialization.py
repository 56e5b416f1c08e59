"""What does a tag keep of a word as bits get dearer, and which distinctions die first?

    nmt-ib compress en_ewt-ud-train.conllu.gz --dev en_ewt-ud-dev.conllu.gz --max-sentences 2000 --dim 256 \
        --beta 0.0001,0.001,0.01,0.1,0.3,1 --out runs/sweep
    python recipes/specialization.py runs/sweep en_ewt-ud-train.conllu.gz en_ewt-ud-dev.conllu.gz

Prints, for each price, scores, bits, and how many words of each part of speech a linear classifier still finds in a
sample of the tag; then what is taken for what, and the nearest neighbours of some words. Writes the paper's pictures:
scores against bits, and the tags at three prices.
"""

import argparse
import json
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from nmt_ib.compression.saved import load_parser
from nmt_ib.data.conllu import read_conllu
from nmt_ib.reports.png.parsing import write_tag_pictures
from nmt_ib.studies.compressed_parsing import embedded, embedder_of
from nmt_ib.studies.specialization import distinctions, neighbours, picture, sampled_tags, tag_table, words_of

NEIGHBOURS_OF = 4


def main() -> None:
    """Prints the tables and writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep", type=Path, help="what nmt-ib compress wrote with several betas")
    parser.add_argument("train", help="treebank that the classifier learns from")
    parser.add_argument("dev", help="treebank that it is tested on")
    parser.add_argument("--sentences", type=int, default=1500, help="of each treebank, from its start")
    parser.add_argument("--pictured", type=int, default=2500, help="words in the pictures")
    parser.add_argument("--smoke", action="store_true", help="few sentences and words")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.pictured = 20, 60
    torch.set_num_threads(1)
    points = json.loads((options.sweep / "sweep.json").read_text())["points"]
    treebanks = [list(islice(read_conllu(path), options.sentences)) for path in (options.train, options.dev)]
    found, values = {}, {}
    for point in points:
        config, model = load_parser(options.sweep / point["directory"] if len(points) > 1 else options.sweep)
        embedder = embedder_of(config)
        known, unseen = (embedded(trees, embedder, config.layers, config.labels) for trees in treebanks)
        found[point["beta"]] = distinctions(model, known, unseen)
        values[point["beta"]] = sampled_tags(model, unseen)
        if config.tags.kind == "discrete":
            table = tag_table(model, unseen)
            print(
                f"beta {point['beta']:g}: {len(table)} tags in use, H(T) {table.entropy_bits:.2f} bits, homogeneity "
                f"{table.homogeneity:.3f} (of H(POS)), completeness {table.completeness:.3f}, V {table.v_measure:.3f}"
            )
    names = [name for name, _ in sorted(found[points[0]["beta"]].recall.items(), key=lambda item: -item[1])]
    print(f"{'beta':>8}{'bits':>8}{'UAS':>7}{'LAS':>7}{'POS':>7}" + "".join(f"{name:>6}" for name in names))
    for point in points:
        one = found[point["beta"]]
        bits = "-" if point["bits_per_token"] is None else f"{point['bits_per_token']:.2f}"
        print(
            f"{point['beta']:>8g}{bits:>8}{point['uas']:>7.3f}{point['las']:>7.3f}{one.accuracy:>7.3f}"
            + "".join(f"{one.recall[name]:>6.2f}" for name in names)
        )
    for beta, one in found.items():
        print(
            f"beta {beta:g}: "
            + ", ".join(f"{gold} -> {other} {share:.0%}" for gold, other, share in one.confusions[:6])
        )
    forms, upos = words_of(unseen)
    some = np.random.default_rng(0).permutation(len(forms))[: options.pictured]
    chosen = [points[place]["beta"] for place in sorted({0, len(points) // 2, len(points) - 1})]
    panels = {f"beta {beta:g}": picture(values[beta][some]) for beta in chosen}
    write_tag_pictures(options.sweep, panels, [upos[word] for word in some])
    for word in some[:NEIGHBOURS_OF]:
        for beta in chosen:
            near = " ".join(forms[other] for other in neighbours(values[beta], int(word)))
            print(f"{forms[word]} ({upos[word]}), beta {beta:g}: {near}")
    print(f"Pictures: {options.sweep / 'sweep.png'}, {options.sweep / 'tags.png'}")


if __name__ == "__main__":
    main()
