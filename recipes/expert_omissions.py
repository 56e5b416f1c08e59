"""Does the score find omissions that experts marked? Bio-MQM, Portuguese to English, other systems' translations.

python recipes/expert_omissions.py pt-en.jsonl.gz
"""

import argparse
import json
from collections import defaultdict

import nmt_ib
from nmt_ib import read_lines
from nmt_ib.benchmark import rank


def read_marked(path: str) -> dict[tuple[str, str], set[tuple[int, int]]]:
    """(source, translation) -> spans of the source that at least one annotator marked as omitted."""
    pairs: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for row in map(json.loads, read_lines(path)):
        located = ((mark["start"], mark["end"]) for mark in row["omissions"] if mark["start"] is not None)
        pairs[row["source"], row["target"]].update(located)
    return pairs


def main() -> None:
    """Prints AUROC and average precision over all pairs, and over the pairs with a marked omission."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="one JSON object per line: source, target, omissions")
    parser.add_argument("--model", default="builtin:pt-en")
    parser.add_argument("--operator", default="unknown", help="how a word is removed: unknown, noise, delete")
    parser.add_argument("--smoke", action="store_true", help="the first 20 pairs")
    options = parser.parse_args()
    pairs = list(read_marked(options.data).items())[: 20 if options.smoke else None]
    model = nmt_ib.load_translation_model(options.model)
    sources, targets = [source for (source, _), _ in pairs], [target for (_, target), _ in pairs]
    lines = nmt_ib.diagnose(model, sources, targets, operator=options.operator)
    rows = [
        (line, [any(word.start < end and start < word.end for start, end in spans) for word in line.words])
        for line, (_, spans) in zip(lines, pairs, strict=True)
        if line.skipped is None
    ]
    for name, subset in (("all pairs", rows), ("pairs with an omission", [row for row in rows if any(row[1])])):
        labels = [label for _, label in subset]
        for field, sign in (("score", 1), ("contribution_bits", -1)):
            ranking = rank([[sign * getattr(word, field) for word in line.words] for line, _ in subset], labels)
            print(
                f"{name:24} {field:18} AUROC {ranking.auroc:.3f}  average precision {ranking.average_precision:.3f}  "
                f"AUROC within sentences {ranking.auroc_within:.3f}  ({len(subset)} pairs, {ranking.words} words, "
                f"{ranking.positives} marked)"
            )
    print(f"{sum(line.skipped is not None for line in lines)} pairs skipped")


if __name__ == "__main__":
    main()
