"""Which attribution method is most faithful to a model? Degradation, comprehensiveness, sufficiency, sanity check.

Words are removed in the order in which a method ranks them for one answer: the probability of a token of the model's
own translation, given its prefix, or of the label that a classifier predicts. Then the model's weights are randomized
from the output down: a method whose ranking does not change does not explain the model (Adebayo et al. 2018).

    python recipes/faithfulness.py news.en
    python recipes/faithfulness.py sst2.tsv --model ./my-sst2-classifier --sentences 200
"""

import argparse
from itertools import islice

from nmt_ib import (
    EncoderModel,
    attribution_method,
    benchmark,
    load_model,
    own_answers,
    read_labelled,
    read_lines,
    readable_sentences,
)
from nmt_ib.benchmark import Benchmark, randomization_check

METHODS = (
    "bottleneck", "sigma", "occlusion", "gradient", "input_x_gradient", "integrated_gradients", "attention",
    "attention_rollout", "alti",
)  # fmt: skip


def print_table(result: Benchmark, operators: list[str]) -> None:
    """One line for each operator and method."""
    print(f"{'':22}{'degradation':24}{'comprehensiveness':24}{'sufficiency':24}passes  seconds")
    for operator in operators:
        print(f"words removed by {operator}")
        for method in result.methods:
            rows = [row for row in result.of(method) if row.setting == operator]
            cells = "".join(f"{f'{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]':24}" for row in rows)
            print(f"  {method:20}{cells}{rows[0].passes:6.0f}{rows[0].seconds:9.3f}")
    print(f"{result.sentences} sentences, {result.answers} answers; 95 % intervals over sentences")


def randomize(model: EncoderModel, texts: list[str], methods: list[str], seed: int) -> None:
    """One line for each method: rank correlation at each stage of the randomization."""
    print("Rank correlation with the attributions of the trained model after randomization from the output down to:")
    print(f"{'':22}" + "  ".join(name for name, _ in model.parts))
    sources = readable_sentences(model, texts)
    targets = own_answers(model, sources)
    for name in ("random", *methods):
        method = attribution_method(name, seed=0 if name == "random" else seed)
        stages = randomization_check(model, model.parts, method, sources, targets, seed=seed)
        cells = (f"{stage.rank_correlation:{len(stage.part)}.2f}" for stage in stages)
        print(f"  {name:20}" + "  ".join(cells), flush=True)


def main() -> None:
    """Prints the faithfulness table and the sanity check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="sentences, one per line; for a classifier a table of labels and sentences")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--operators", nargs="+", default=["mask", "delete", "noise"], help="how words are removed")
    parser.add_argument("--sentences", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=3, help="target tokens of each translation")
    parser.add_argument("--checked", type=int, default=5, help="number of sentences in the sanity check")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="2 sentences, 2 methods, 1 sentence in the sanity check")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.checked = 2, 1
        options.methods, options.operators = ["gradient", "occlusion"], ["mask"]
    model = load_model(options.model)
    lines = (text for text, _ in read_labelled(options.data)) if hasattr(model, "labels") else read_lines(options.data)
    texts = [text for text in islice(lines, options.sentences) if text.strip()]
    result = benchmark.attribution(
        model, texts, methods=options.methods, operators=options.operators, max_sentences=options.sentences,
        tokens=options.tokens, seed=options.seed, batch_size=options.batch_size, progress=True,
    )  # fmt: skip
    print_table(result, options.operators)
    randomize(model, texts[: options.checked], options.methods, options.seed)


if __name__ == "__main__":
    main()
