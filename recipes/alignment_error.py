"""Do attributions agree with manual word alignments? Alignment error rate of every method.

Each method gives a matrix of source words x target tokens for the reference translation, which the decoder is forced to
write; links are read off its maxima. A column explains the token that is written ("output") or, shifted by one step,
the token that has just been read ("input"): attention in low decoder layers aligns the token that has just been read.

    python recipes/alignment_error.py pairs.en pairs.pt pairs.links
"""

import argparse

from nmt_ib import benchmark, load_translation_model, read_lines
from nmt_ib.benchmark import Benchmark

LAYERED = ("attention", "attention_rollout", "alti_block", "alti")
OTHERS = ("contribution", "occlusion", "gradient", "input_x_gradient", "integrated_gradients", "bottleneck")


def report(result: Benchmark) -> None:
    """One line for each method: its better convention, with the error rate of the other one."""
    rows = {(row.method, row.metric, row.setting): row for row in result}
    rules = list(dict.fromkeys(row.setting.split(", ")[1] for row in result))
    print(f"{'':24}{'convention':12}" + "".join(f"{rule:24}" for rule in rules) + "other   precision  recall  passes")
    for method in result.methods:
        rate = {way: rows[method, "error rate", f"{way}, intersection"].value for way in ("output", "input")}
        better, other = sorted(rate, key=rate.__getitem__)
        rates = [rows[method, "error rate", f"{better}, {rule}"] for rule in rules]
        precision, recall = (
            rows[method, metric, f"{better}, intersection"].value for metric in ("precision", "recall")
        )
        cells = "".join(f"{f'{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]':24}" for row in rates)
        print(
            f"  {method:22}{better:12}{cells}{rate[other]:.3f}   "
            f"{precision:.3f}      {recall:.3f}   {rates[0].passes:5.0f}"
        )


def main() -> None:
    """Prints the error rates; methods with layers at every layer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="tokenised sentences, one per line, blanks between tokens")
    parser.add_argument("target", help="their translations, in the same form")
    parser.add_argument("links", help="manual links: 3-4 sure, 3p4 possible, numbered from 0")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--methods", nargs="+", help="names, such as attention@2; default: all with a matrix")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="2 pairs, 2 methods")
    options = parser.parse_args()
    model = load_translation_model(options.model)
    layers = range(1, model.decoder_layers + 1)
    methods = options.methods or [*(f"{name}@{layer}" for name in LAYERED for layer in layers), *OTHERS]
    if options.smoke:
        methods = ["attention@1", "contribution"]
    texts = [list(read_lines(name)) for name in (options.source, options.target, options.links)]
    sources, targets, links = (lines[:2] if options.smoke else lines for lines in texts)
    result = benchmark.alignment(
        model, sources, targets, links, methods=methods, seed=options.seed, batch_size=options.batch_size, progress=True
    )
    report(result)
    print(f"{result.sentences} pairs, {result.answers} sure links; 95 % intervals over pairs")


if __name__ == "__main__":
    main()
