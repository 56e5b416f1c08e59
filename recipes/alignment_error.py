"""Do attributions find the word alignments that people see? Alignment error rate of every method.

Each method gives a matrix of source words x target tokens for translations that the model is forced to write; the best
partner of each word makes a link. A column explains the token that is written ("output") or, shifted by one step, the
token that has just been read ("input"): attention in a low decoder layer looks at what has just been read.

    python recipes/alignment_error.py pairs.en pairs.pt pairs.links
"""

import argparse

from nmt_ib.attribution.by_name import attribution_method
from nmt_ib.data.text import read_lines
from nmt_ib.faithfulness.alignment import RULES
from nmt_ib.models.loading import load_translation_model
from nmt_ib.results.benchmark import Benchmark
from nmt_ib.studies.benchmarks.alignment import benchmark_alignment

LAYERED = ("attention", "attention_rollout", "alti_block", "alti")
OTHERS = ("contribution", "occlusion", "gradient", "input_x_gradient", "integrated_gradients", "bottleneck")


def report(found: Benchmark) -> None:
    """One line a method: under its better convention, and the other convention beside it."""
    print(f"{'':24}{'convention':12}" + "".join(f"{rule:24}" for rule in RULES) + "other   precision  recall  passes")
    rows = {(row.method, row.metric, row.setting): row for row in found}
    for method in found.methods:
        rate = {way: rows[method, "error rate", f"{way}, intersection"].value for way in ("output", "input")}
        better, other = sorted(rate, key=rate.__getitem__)
        cells = [rows[method, "error rate", f"{better}, {rule}"] for rule in RULES]
        right = [rows[method, metric, f"{better}, intersection"].value for metric in ("precision", "recall")]
        shown = "".join(f"{f'{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]':24}" for row in cells)
        print(
            f"  {method:22}{better:12}{shown}{rate[other]:.3f}   "
            f"{right[0]:.3f}      {right[1]:.3f}   {cells[0].passes:5.0f}"
        )


def main() -> None:
    """Prints the error rates, methods that have layers at each of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="sentences, one a line, blanks between their tokens")
    parser.add_argument("target", help="their translations, in the same form")
    parser.add_argument("links", help="links by hand: 3-4 sure, 3p4 possible, numbered from 0")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--methods", nargs="+", help="names, as in attention@2; default: all that have a matrix")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="two pairs, two methods")
    options = parser.parse_args()
    model = load_translation_model(options.model)
    layers = range(1, model.decoder_layers + 1)
    names = options.methods or [*(f"{name}@{layer}" for name in LAYERED for layer in layers), *OTHERS]
    if options.smoke:
        names = ["attention@1", "contribution"]
    methods = {name: attribution_method(name, seed=options.seed) for name in names}
    texts = [list(read_lines(name)) for name in (options.source, options.target, options.links)]
    sources, targets, links = (lines[:2] if options.smoke else lines for lines in texts)
    found = benchmark_alignment(
        model, sources, targets, links, methods, seed=options.seed, batch_size=options.batch_size
    )
    report(found)
    print(f"{found.sentences} pairs, {found.answers} sure links; error rates with 95 % intervals over pairs")


if __name__ == "__main__":
    main()
