"""Does the score find words that are known to be missing? Synthetic omissions from gold dependency trees.

One contiguous subtree of 1 to 6 words is removed from a sentence, the rest is translated, and that translation is
paired with the full sentence: the removed words are missing from it (Vamvas and Sennrich 2022).

    python recipes/synthetic_omissions.py en_ewt-ud-dev.conllu.gz
"""

import argparse
import random

import nmt_ib
from nmt_ib import Tree, read_conllu
from nmt_ib.benchmark import Ranking, rank

REMOVABLE = {"amod", "advmod", "nmod", "nummod", "obl", "advcl", "acl", "conj", "appos", "parataxis"}
WORDS = range(8, 31)
MAX_WORDS = 6


def removable(tree: Tree) -> list[tuple[int, int]]:
    """Character spans of the contiguous modifiers of 1 to 6 words that are less than half of the sentence."""
    spans = []
    for word, relation in enumerate(tree.relations):
        subtree = tree.descendants(word)
        contiguous = subtree[-1] - subtree[0] + 1 == len(subtree)
        short = len(subtree) <= MAX_WORDS and 2 * len(subtree) < len(tree)
        if relation.split(":")[0] in REMOVABLE and contiguous and short:
            spans.append((tree.spans[subtree[0]][0], tree.spans[subtree[-1]][1]))
    return spans


def omissions(trees: list[Tree], count: int, seed: int) -> list[tuple[str, str, tuple[int, int]]]:
    """Full sentence, shortened sentence, and the removed span, for `count` sentences."""
    generator = random.Random(seed)
    triples = []
    for tree in trees:
        spans = removable(tree) if len(tree) in WORDS else []
        if spans:
            start, end = generator.choice(spans)
            shortened = f"{tree.text[:start].rstrip()} {tree.text[end:].lstrip()}".strip()
            triples.append((tree.text, shortened, (start, end)))
    generator.shuffle(triples)
    return triples[:count]


def report(name: str, ranking: Ranking) -> None:
    """One line of the table."""
    low, high = ranking.auroc_interval
    lower, upper = ranking.average_precision_interval
    print(
        f"{name:20} {ranking.auroc:.3f} [{low:.3f}, {high:.3f}]   "
        f"{ranking.average_precision:.3f} [{lower:.3f}, {upper:.3f}]   {ranking.auroc_within:.3f}"
    )


def main() -> None:
    """Prints how well the score, and the contribution it is computed from, rank the missing words."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("treebank", help="dependency trees of the source language, CoNLL-U")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument(
        "--operators", nargs="+", default=["unknown"], help="how a word is removed: unknown, noise, delete"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="8 sentences")
    options = parser.parse_args()
    model = nmt_ib.load_translation_model(options.model)
    count = 8 if options.smoke else options.sentences
    triples = omissions(list(read_conllu(options.treebank)), count, options.seed)
    sources, shortened, spans = (list(column) for column in zip(*triples, strict=True))
    targets = [line.translation for line in nmt_ib.diagnose(model, shortened)]
    print(f"{'':20} {'AUROC':22} {'average precision':24} AUROC within sentences")
    for operator in options.operators:
        lines = nmt_ib.diagnose(model, sources, targets, operator=operator)
        labels = [
            [word.start < end and start < word.end for word in line.words]
            for line, (start, end) in zip(lines, spans, strict=True)
        ]
        report(f"{operator}, score", rank([[word.score for word in line.words] for line in lines], labels))
        bits = rank([[-word.contribution_bits for word in line.words] for line in lines], labels)
        report(f"{operator}, bits", bits)
        words = [word for line in lines for word in line.words]
        gold = [label for row in labels for label in row]
        correct = sum(word.dropped and label for word, label in zip(words, gold, strict=True))
        flagged, encoder = sum(word.dropped for word in words), sum(word.lost_in == "encoder" for word in words)
        print(
            f"{'':20} at the threshold: precision {correct / max(flagged, 1):.3f}, recall {correct / sum(gold):.3f}; "
            f"{encoder} of {flagged} flagged words lost in the encoder"
        )
    print(f"{len(sources)} sentences, {bits.words} words, {bits.positives} of them missing")


if __name__ == "__main__":
    main()
