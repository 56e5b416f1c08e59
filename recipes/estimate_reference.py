"""What do words of each kind contribute when a model translates them? Makes the reference files that the package ships.

    python recipes/estimate_reference.py builtin:en-pt newstest2019-src.eng.txt.gz --skip 200 \\
        --out nmt_ib/studies/under_translation/references
"""

import argparse
from itertools import islice
from pathlib import Path

import nmt_ib
from nmt_ib.attribution.contribution import OPERATORS, ContributionMethod
from nmt_ib.data.text import read_lines
from nmt_ib.studies.under_translation.calibration import estimate_reference
from nmt_ib.studies.under_translation.stored_references import store_reference


def main() -> None:
    """Estimates one reference for each operator and prints its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("text", help="sentences of the model's source language, one a line")
    parser.add_argument("--skip", type=int, default=0, help="first lines to leave for testing")
    parser.add_argument("--sentences", type=int, default=600)
    parser.add_argument("--operators", nargs="+", default=OPERATORS, choices=OPERATORS)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--smoke", action="store_true", help="40 sentences, one operator")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.operators = 40, ["unknown"]
    model = nmt_ib.load_translation_model(options.model)
    lines = list(islice(read_lines(options.text), options.skip, options.skip + options.sentences))
    described = f"lines {options.skip + 1} to {options.skip + len(lines)} of {Path(options.text).name}"
    for operator in options.operators:
        reference = estimate_reference(model, ContributionMethod(operator=operator), lines, text=described)
        if reference is None:
            raise SystemExit("too few usable sentences")
        store_reference(reference, options.out / f"{model.fingerprint}-{operator}.json")
        print(f"\n{options.model}, {operator}: {reference.text}")
        print(
            f"{'kind':28} {'translated':>10} {'median':>8} {'left out':>9} {'median':>8} {'dropped below (bits)':>21}"
        )
        for kind, figures in reference.kinds.items():
            edge = -figures.intercept / figures.slope
            print(
                f"{kind:28} {figures.translated:10} {figures.translated_bits[2]:8.1f} {figures.left_out:9} "
                f"{figures.left_out_bits[2]:8.1f} {edge:21.1f}"
            )


if __name__ == "__main__":
    main()
