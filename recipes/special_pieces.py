"""What happens when special pieces get noise, too? Sigma of every word, without and with noise on [CLS], [SEP], </s>.

The noise on a special piece uses up part of the state's tolerance, and its bits look like those of a word although it
is none: an attribution that shows them suggests that the end of a sentence carries meaning.

    python recipes/special_pieces.py newstest2019-src.eng.txt.gz --model builtin:en-pt
"""

import argparse
from dataclasses import replace
from itertools import islice

import numpy as np
from scipy.stats import spearmanr

from nmt_ib import Sigma, load_model, read_lines, readable_sentences, statistics_for


def main() -> None:
    """Prints for each layer the bits of words and of special pieces, and by how much the words' bits change."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="sentences, one per line")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--smoke", action="store_true", help="1 sentence")
    options = parser.parse_args()
    model = load_model(options.model)
    usable = (one for one in readable_sentences(model, read_lines(options.source)) if 5 <= len(one.words) <= 40)
    sentences = list(islice(usable, 1 if options.smoke else options.sentences))
    method = Sigma(statistics=statistics_for(model))
    print(f"{options.model}, {len(sentences)} sentences; mean bits per piece")
    heads = "words alone", "with special", "special", "change", "rank", "outside"
    print(f"{'':8}" + "".join(f"{head:>{width}}" for head, width in zip(heads, (13, 14, 9, 10, 7, 9), strict=True)))
    for layer in range(1, model.encoder_layers + 1):
        layered = replace(method, layer=layer)
        variants = layered, replace(layered, include_special=True), replace(layered, seed=1)
        alone, together, again = (variant(model, sentences) for variant in variants)
        words = [~np.array(one.special) for one in alone]
        bits, with_special, reseeded = (np.concatenate([one.bits for one in run]) for run in (alone, together, again))
        word = np.concatenate(words)
        change = np.abs(with_special - bits)[word].mean()
        chance = np.abs(reseeded - bits)[word].mean()
        rank = np.mean([
            spearmanr(np.array(one.bits)[chosen], np.array(other.bits)[chosen]).statistic
            for one, other, chosen in zip(alone, together, words, strict=True)
        ])  # fmt: skip
        outside = np.mean([one.details["outside_cloud"] for one in alone])
        print(
            f"layer {layer}{bits[word].mean():14.0f}{with_special[word].mean():14.0f}{with_special[~word].mean():9.0f}"
            f"{change:10.0f}{rank:7.3f}{outside:9.1%}   (change with other noise alone: {chance:.0f})",
            flush=True,
        )
    print("rank: Spearman correlation within sentences; outside: share of noisy embeddings outside the corpus' cloud")


if __name__ == "__main__":
    main()
