"""Does the score find words that are known to be missing? Omissions made from gold dependency trees.

One contiguous subtree of 1 to 6 words is taken out of a sentence, the rest is translated, and that translation is
paired with the whole sentence: the words that were taken out are the ones it lacks (Vamvas and Sennrich 2022).

    python recipes/synthetic_omissions.py en_ewt-ud-dev.conllu.gz
"""

import argparse
import random

import nmt_ib
from nmt_ib.data.conllu import read_conllu
from nmt_ib.faithfulness.ranking import Ranking, rank
from nmt_ib.types import Tree

REMOVABLE = {"amod", "advmod", "nmod", "nummod", "obl", "advcl", "acl", "conj", "appos", "parataxis"}
WORDS = range(8, 31)
MAX_WORDS = 6


def removable(tree: Tree) -> list[tuple[int, int]]:
    """Character spans of the contiguous modifiers of 1 to 6 words that are less than half of the sentence."""
    spans = []
    for word, relation in enumerate(tree.relations):
        below = tree.descendants(word)
        contiguous = below[-1] - below[0] + 1 == len(below)
        if (
            relation.split(":")[0] in REMOVABLE
            and contiguous
            and len(below) <= MAX_WORDS
            and 2 * len(below) < len(tree)
        ):
            spans.append((tree.spans[below[0]][0], tree.spans[below[-1]][1]))
    return spans


def omissions(trees: list[Tree], count: int, seed: int) -> list[tuple[str, str, tuple[int, int]]]:
    """Whole sentence, shortened sentence, and the span that was taken out, for `count` sentences."""
    generator = random.Random(seed)
    made = []
    for tree in trees:
        spans = removable(tree) if len(tree) in WORDS else []
        if spans:
            start, end = generator.choice(spans)
            shortened = f"{tree.text[:start].rstrip()} {tree.text[end:].lstrip()}".strip()
            made.append((tree.text, shortened, (start, end)))
    generator.shuffle(made)
    return made[:count]


def report(name: str, found: Ranking) -> None:
    """One line of the table."""
    low, high = found.auroc_interval
    lower, upper = found.average_precision_interval
    print(
        f"{name:20} {found.auroc:.3f} [{low:.3f}, {high:.3f}]   "
        f"{found.average_precision:.3f} [{lower:.3f}, {upper:.3f}]   {found.auroc_within:.3f}"
    )


def main() -> None:
    """Prints how well the score, and the bits it is made of, rank the missing words."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("treebank", help="trees of the model's source language, CoNLL-U")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--operators", nargs="+", default=["unknown"], help="unknown, noise, delete")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="8 sentences")
    options = parser.parse_args()
    model = nmt_ib.load_translation_model(options.model)
    made = omissions(list(read_conllu(options.treebank)), 8 if options.smoke else options.sentences, options.seed)
    sources, shortened, spans = (list(column) for column in zip(*made, strict=True))
    targets = [line.translation for line in nmt_ib.diagnose(model, shortened)]
    print(f"{'':20} {'AUROC':22} {'average precision':24} AUROC within a sentence")
    for operator in options.operators:
        lines = nmt_ib.diagnose(model, sources, targets, method=nmt_ib.ContributionMethod(operator=operator))
        labels = [
            [word.start < end and start < word.end for word in line.words]
            for line, (start, end) in zip(lines, spans, strict=True)
        ]
        report(f"{operator}, score", rank([[word.score for word in line.words] for line in lines], labels))
        bits = rank([[-word.contribution_bits for word in line.words] for line in lines], labels)
        report(f"{operator}, bits", bits)
        words = [word for line in lines for word in line.words]
        truth = [label for row in labels for label in row]
        right = sum(word.dropped and label for word, label in zip(words, truth, strict=True))
        flagged, encoder = sum(word.dropped for word in words), sum(word.lost_in == "encoder" for word in words)
        print(
            f"{'':20} flags: precision {right / max(flagged, 1):.3f}, recall {right / sum(truth):.3f}; "
            f"of {flagged}, {encoder} said to be lost in the encoder"
        )
    print(f"{len(sources)} sentences, {bits.words} words, {bits.positives} of them left out")


if __name__ == "__main__":
    main()
