"""Do the layers of a translation model lie near the limit of the information bottleneck?

X is a source word, Y the piece that it is translated to. Their joint distribution has an optimal curve. Each layer is
compared with it in two ways:

- groups of words by the mean of their states. They are a function of X, so their information is exact and none lies
  above the curve. Random groups of the same number are the baseline.
- clusters of the states themselves. A state depends on the whole sentence, not only on its word: what lies above the
  curve is information about Y from the context.

    python recipes/translation_limits.py newstest2019-src.eng.txt.gz --out runs/limit
"""

import argparse
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import KMeans

from nmt_ib import (
    LayerStates,
    gather_states,
    ib_curve,
    load_translation_model,
    own_answers,
    read_lines,
    readable_sentences,
)
from nmt_ib.info import BITS_PER_NAT, clustered_information, codes, discrete_information

WORD, OUTPUT = "word", "output"  # labels of the states
HEADS = f"{'':28}I(X;T)   I(T;Y)     beta   bits below the curve"


def most_frequent(labels: list[str], values: int) -> np.ndarray:
    """Which labels are among the most frequent ones."""
    return np.isin(labels, [label for label, _ in Counter(labels).most_common(values) if label])


def bits(x: np.ndarray, y: np.ndarray) -> float:
    """Mutual information of the empirical distribution."""
    return discrete_information(x, y).nats * BITS_PER_NAT


def group_words(states: np.ndarray, words: np.ndarray, groups: int, seed: int) -> np.ndarray:
    """Group of each word: k-means of the words' mean states."""
    counts = np.bincount(words)
    means = np.stack([np.bincount(words, column) for column in states.T.astype(np.float64)], 1) / counts[:, None]
    return KMeans(groups, n_init=5, random_state=seed).fit_predict(means, sample_weight=counts)


def compare(encoder: LayerStates, options: argparse.Namespace) -> None:
    """Prints both tables and writes both figures."""
    counted = most_frequent(encoder.labels[WORD], options.values) & most_frequent(
        encoder.labels[OUTPUT], options.values
    )
    words, outputs = (codes(np.array(encoder.labels[label])[counted]) for label in (WORD, OUTPUT))
    joint = np.zeros((words.max() + 1, outputs.max() + 1))
    np.add.at(joint, (words, outputs), 1 / len(words))
    print(f"{len(words):,} tokens of {joint.shape[0]} words, {joint.shape[1]} outputs")
    by_word, by_state = [], []
    for layer, all_states in encoder.layers():
        states = all_states[counted]
        for groups in options.groups:
            group = group_words(states, words, groups, options.seed)
            by_word.append((f"{layer}, {groups} groups", bits(group[words], words), bits(group[words], outputs)))
        found = (clustered_information(states, label, options.clusters, options.seed) for label in (words, outputs))
        by_state.append((layer, *(one.settings["plug_in_nats"] * BITS_PER_NAT for one in found)))
    generator = np.random.default_rng(options.seed)
    for groups in options.groups:
        group = generator.permutation(np.arange(len(joint)) % groups)
        by_word.append((f"random, {groups} groups", bits(group[words], words), bits(group[words], outputs)))
    for name, layers in (("words", by_word), ("states", by_state)):
        out = options.out / name
        curve = ib_curve(joint, beta=(1, 5), points=options.betas, layers=layers, out=out)
        print(f"clusters of {name}: I(X;Y) {curve.i_xy_bits:.4f} bits; figure in {out}\n{HEADS}")
        for layer in curve.layers:
            beta = "large" if layer.beta is None else f"{layer.beta:.3g}"
            print(f"{layer.name:26}{layer.i_x_bits:8.4f} {layer.i_y_bits:8.4f} {beta:>8} {layer.below_bits:10.4f}")


def main() -> None:
    """Gathers the states and compares them with the curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="sentences, one per line")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=50_000, help="maximum number of states")
    parser.add_argument("--values", type=int, default=100, help="number of most frequent words, and of outputs")
    parser.add_argument("--groups", type=int, nargs="+", default=[4, 16], help="numbers of groups of words")
    parser.add_argument("--clusters", type=int, default=100, help="clusters of states")
    parser.add_argument("--betas", type=int, default=24, help="points of the curve")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/limit"))
    parser.add_argument("--smoke", action="store_true", help="20 sentences, 4 clusters")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.clusters, options.values, options.groups, options.betas = 20, 4, 10, [2], 4
    torch.set_num_threads(1)
    model = load_translation_model(options.model)
    sources = readable_sentences(model, islice(read_lines(options.data), options.sentences))
    encoder, _ = gather_states(model, sources, own_answers(model, sources), tokens=options.tokens)
    compare(encoder, options)


if __name__ == "__main__":
    main()
