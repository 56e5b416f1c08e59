"""Does a transformer's encoder compress its input, and when does its decoder turn from reading to writing?

For each layer: information about the word itself, its neighbours, its part of speech (in a treebank, or if a spacy
pipeline is installed) and the output. By k-means clusters of the states (Voita et al. 2019), bias-corrected, with the
standard error and the value for shuffled labels; and by InfoNCE with a critic on held-out states. Both are lower
bounds: information that the critic finds and the clusters miss is encoded, but not in the directions of most variance.

    python recipes/transformer_plane.py newstest2019-src.eng.txt.gz --model builtin:en-pt --out runs/plane-en-pt
    python recipes/transformer_plane.py en_ewt-ud-train.conllu.gz --model builtin:minilm --out runs/plane-minilm
"""

import argparse
from pathlib import Path

import torch

import nmt_ib
from nmt_ib import TransformerPlane

ESTIMATORS = ("clusters", "infonce")


def table(plane: TransformerPlane, estimator: str) -> None:
    """One line per layer; chance-corrected bits with their 95 % interval."""
    print(f"{estimator:12}" + "".join(f"{thing:>22}" for thing in plane.things))
    for layer in plane.layers:
        cells = []
        for thing in plane.things:
            row = plane.about(thing, estimator).get(layer)
            cells.append("-" if row is None else f"{row.beyond_chance_bits:.2f} ± {1.96 * row.error_bits:.2f}")
        print(f"{layer:12}" + "".join(f"{cell:>22}" for cell in cells))
    first = [next(iter(plane.about(thing, estimator).values())) for thing in plane.things]
    print(f"{'entropy':12}" + "".join(f"{row.entropy_bits:>22.2f}" for row in first))
    print(f"{'ceiling':12}" + "".join(f"{row.ceiling_bits:>22.2f}" for row in first))


def main() -> None:
    """Prints one table per estimator and writes a run directory with the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="sentences, one per line, or a treebank")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--tokens", type=int, default=50_000, help="maximum number of states")
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--estimators", nargs="+", default=ESTIMATORS, choices=ESTIMATORS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/transformer_plane"))
    parser.add_argument("--smoke", action="store_true", help="300 states, 4 clusters, no InfoNCE")
    options = parser.parse_args()
    if options.smoke:
        options.tokens, options.clusters, options.estimators = 300, 4, ESTIMATORS[:1]
    torch.set_num_threads(1)
    plane = nmt_ib.plane(
        options.model, options.data, tokens=options.tokens, clusters=options.clusters, estimators=options.estimators,
        seed=options.seed, progress=True, out=options.out,
    )  # fmt: skip
    for estimator in plane.estimators:
        table(plane, estimator)
    print(f"{plane[0].samples:,} words; figure in {options.out}")


if __name__ == "__main__":
    main()
