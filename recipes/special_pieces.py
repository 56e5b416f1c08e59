"""What happens when special pieces get noise, too? Sigma of every word with [CLS], [SEP] or </s> left alone, and not.

A special piece's own noise shares the state's tolerance with the words', and its own bits look like a word's although
no word is there: an attribution that shows them invites the reader to see meaning in the end of a sentence.

    python recipes/special_pieces.py newstest2019-src.eng.txt.gz --model builtin:en-pt
"""

import argparse
from itertools import islice

import numpy as np
from scipy.stats import spearmanr

import nmt_ib
from nmt_ib.attribution.statistics import statistics_for
from nmt_ib.data.text import read_lines
from nmt_ib.models.loading import load_model


def main() -> None:
    """Prints, layer by layer, what the words and the special pieces keep, and how far the words' bits move."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="sentences, one a line")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--smoke", action="store_true", help="1 sentence")
    options = parser.parse_args()
    model = load_model(options.model)
    read = (model.tokenize_source(line) for line in read_lines(options.source))
    usable = (one.text for one in read if 5 <= len(one.words) <= 40)
    texts = list(islice(usable, 1 if options.smoke else options.sentences))
    statistics = statistics_for(model)
    print(f"{options.model}, {len(texts)} sentences; bits a piece")
    print(f"{'':8}{'words alone':>13}{'with special':>14}{'special':>9}{'moved by':>10}{'rank':>7}{'outside':>9}")
    for layer in range(1, model.encoder_layers + 1):
        settings = {"layer": layer, "statistics": statistics}
        alone = nmt_ib.attribute(model, texts, "sigma", **settings)
        together = nmt_ib.attribute(model, texts, "sigma", include_special=True, **settings)
        again = nmt_ib.attribute(model, texts, "sigma", seed=1, **settings)
        word = np.concatenate([~np.array(one.special) for one in alone])
        bits, others, noise = (np.concatenate([one.bits for one in run]) for run in (alone, together, again))
        moved = np.abs(others - bits)[word].mean()
        chance = np.abs(noise - bits)[word].mean()
        rank = np.mean([
            spearmanr(np.array(one.bits)[~np.array(one.special)], np.array(two.bits)[~np.array(two.special)]).statistic
            for one, two in zip(alone, together, strict=True)
        ])  # fmt: skip
        outside = np.mean([one.details["outside_cloud"] for one in alone])
        print(
            f"layer {layer}{bits[word].mean():14.0f}{others[word].mean():14.0f}{others[~word].mean():9.0f}"
            f"{moved:10.0f}{rank:7.3f}{outside:9.1%}   (by chance alone bits move by {chance:.0f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
