"""What do words of each kind contribute when a model translates them? Writes the reference files of the package.

    python recipes/estimate_reference.py builtin:en-pt newstest2019-src.eng.txt.gz --skip 200 \\
        --out nmt_ib/studies/under_translation/references
"""

import argparse
import json
from itertools import islice
from pathlib import Path

from nmt_ib import ContributionMethod, estimate_reference, load_translation_model, read_lines

OPERATORS = ("unknown", "noise", "delete")


def main() -> None:
    """Estimates one reference per operator and prints its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("text", help="sentences in the source language, one per line")
    parser.add_argument("--skip", type=int, default=0, help="number of first lines to skip, for testing")
    parser.add_argument("--sentences", type=int, default=600)
    parser.add_argument("--operators", nargs="+", default=OPERATORS, choices=OPERATORS, help="word removal")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--smoke", action="store_true", help="40 sentences, one operator")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.operators = 40, ["unknown"]
    model = load_translation_model(options.model)
    lines = list(islice(read_lines(options.text), options.skip, options.skip + options.sentences))
    described = f"lines {options.skip + 1} to {options.skip + len(lines)} of {Path(options.text).name}"
    for operator in options.operators:
        reference = estimate_reference(model, ContributionMethod(operator=operator), lines, text=described)
        if reference is None:
            raise SystemExit("too few usable sentences")
        options.out.mkdir(parents=True, exist_ok=True)
        document = json.dumps(reference.to_dict(), indent=2, ensure_ascii=False)
        (options.out / f"{model.fingerprint}-{operator}.json").write_text(document + "\n", encoding="utf-8")
        print(f"\n{options.model}, {operator}: {reference.text}")
        print(f"{'kind':28} {'translated':>10} {'median':>8} {'omitted':>9} {'median':>8} {'dropped below (bits)':>21}")
        for kind, figures in reference.kinds.items():
            threshold = -figures.intercept / figures.slope
            print(
                f"{kind:28} {figures.translated:10} {figures.translated_bits[2]:8.1f} {figures.left_out:9} "
                f"{figures.left_out_bits[2]:8.1f} {threshold:21.1f}"
            )


if __name__ == "__main__":
    main()
