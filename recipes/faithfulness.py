"""Which attribution method tells best what a model's answers hang on? Degradation, comprehensiveness, sufficiency.

Words go in the order in which a method ranks them for one answer: the probability of a token of the model's own
translation, given what stands before it, or of the label that a classifier predicts. Then the same with the model's
weights made random from the output down: a method whose ranking stays as it was does not explain the model.

    python recipes/faithfulness.py news.en
    python recipes/faithfulness.py sst2.tsv --model ./my-sst2-classifier --sentences 200
"""

import argparse
from itertools import islice

from nmt_ib.attribution.by_name import attribution_method
from nmt_ib.data.classification import read_labelled
from nmt_ib.data.text import read_lines
from nmt_ib.faithfulness.randomization import randomization_check
from nmt_ib.models.loading import load_model
from nmt_ib.results.benchmark import Benchmark
from nmt_ib.studies.benchmarks.attribution import RANDOM, ask_about, benchmark_attribution

METHODS = (
    "bottleneck", "sigma", "occlusion", "gradient", "input_x_gradient", "integrated_gradients", "attention",
    "attention_rollout", "alti",
)  # fmt: skip


def table(found: Benchmark, operators: list[str]) -> None:
    """One line a method and operator."""
    print(f"{'':22}{'degradation':24}{'comprehensiveness':24}{'sufficiency':24}passes  seconds")
    for operator in operators:
        print(f"by {operator}")
        for method in found.methods:
            rows = [row for row in found.of(method) if row.setting == operator]
            cells = "".join(f"{f'{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]':24}" for row in rows)
            print(f"  {method:20}{cells}{rows[0].passes:6.0f}{rows[0].seconds:9.3f}")


def main() -> None:
    """Prints the faithfulness table and the randomisation check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="sentences, one a line; for a classifier a table of labels and sentences")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--operators", nargs="+", default=["mask", "delete", "noise"])
    parser.add_argument("--sentences", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=3, help="target tokens of each translation")
    parser.add_argument("--checked", type=int, default=5, help="sentences of the randomisation check")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="two sentences, two methods, one sentence made random")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.checked = 2, 1
        options.methods, options.operators = ["gradient", "occlusion"], ["mask"]
    model = load_model(options.model)
    classifier = hasattr(model, "labels")
    lines = (text for text, _ in read_labelled(options.data)) if classifier else read_lines(options.data)
    texts = [text for text in islice(lines, options.sentences) if text.strip()]
    methods = {name: attribution_method(name, seed=options.seed) for name in options.methods}
    found = benchmark_attribution(
        model, texts, methods, operators=options.operators, tokens=options.tokens, seed=options.seed,
        batch_size=options.batch_size, after_method=lambda so_far: print(f"done: {so_far.methods[-1]}", flush=True),
    )  # fmt: skip
    table(found, options.operators)
    print(f"{found.sentences} sentences, {found.answers} answers; 95 % intervals over sentences")
    print("Rank correlation with the model's own attributions when it is random from the output down to:")
    asked = ask_about(model, texts[: options.checked], seed=options.seed)
    print(f"{'':22}" + "  ".join(name for name, _ in model.parts))
    for name, method in {RANDOM: attribution_method(RANDOM), **methods}.items():
        stages = randomization_check(model, model.parts, method, asked.sources, asked.targets, seed=options.seed)
        cells = (f"{stage.rank_correlation:{len(stage.part)}.2f}" for stage in stages)
        print(f"  {name:20}" + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
