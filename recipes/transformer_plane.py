"""Does a transformer's encoder compress its input, and when does its decoder turn from reading to writing?

For each layer: information about the word itself, its neighbours, its part of speech (in a treebank, or where a spacy
pipeline is installed) and what is written. By k-means clusters of the states (Voita et al. 2019), corrected for the
bias of counting, with the standard error and what shuffled labels give; and by InfoNCE on states that its critic has
not seen. Both are lower bounds: what the critic finds and the clusters miss is there, but not in what spreads most.

    python recipes/transformer_plane.py newstest2019-src.eng.txt.gz --model builtin:en-pt --out runs/plane-en-pt
    python recipes/transformer_plane.py en_ewt-ud-train.conllu.gz --model builtin:minilm --out runs/plane-minilm
"""

import argparse
from pathlib import Path

import torch

from nmt_ib.attribution.answers import own_answers
from nmt_ib.files import write_json
from nmt_ib.models.loading import load_model
from nmt_ib.reports.png.transformer_plane import write_transformer_figure
from nmt_ib.results.transformer_plane import TransformerPlane
from nmt_ib.studies.planes.layer_states import answers_anything, readable_sources
from nmt_ib.studies.planes.transformer import ESTIMATORS, TransformerPlaneStudy


def table(plane: TransformerPlane, estimator: str) -> None:
    """One line a layer, chance taken off."""
    print(f"{estimator:12}" + "".join(f"{thing:>22}" for thing in plane.things))
    for layer in plane.layers:
        cells = []
        for thing in plane.things:
            row = plane.about(thing, estimator).get(layer)
            cells.append("-" if row is None else f"{row.beyond_chance_bits:.2f} ± {1.96 * row.error_bits:.2f}")
        print(f"{layer:12}" + "".join(f"{cell:>22}" for cell in cells))
    shown = [next(iter(plane.about(thing, estimator).values())) for thing in plane.things]
    print(f"{'entropy':12}" + "".join(f"{row.entropy_bits:>22.2f}" for row in shown))
    print(f"{'ceiling':12}" + "".join(f"{row.ceiling_bits:>22.2f}" for row in shown))


def main() -> None:
    """Prints the table and draws the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="sentences, one a line, or a treebank")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--tokens", type=int, default=50_000)
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--values", type=int, default=300, help="most frequent words that count")
    parser.add_argument("--estimators", nargs="+", default=ESTIMATORS, choices=ESTIMATORS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/transformer_plane"))
    parser.add_argument("--smoke", action="store_true", help="20 sentences, 4 clusters, no critic")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.clusters, options.values, options.estimators = 20, 4, 10, ESTIMATORS[:1]
    torch.set_num_threads(1)
    model = load_model(options.model)
    sources = readable_sources(model, options.data, options.sentences)
    targets = own_answers(model, sources) if answers_anything(model) else None
    study = TransformerPlaneStudy(
        options.clusters, options.values, options.tokens, options.seed, tuple(options.estimators)
    )
    plane = study.measure(model, sources, targets)
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / "plane.json", plane.to_dict())
    for estimator in plane.estimators:
        table(plane, estimator)
    print(
        f"{len(sources):,} sentences, {plane[0].samples:,} words counted; "
        + str(write_transformer_figure(options.out, plane)[0])
    )


if __name__ == "__main__":
    main()
