"""Do the layers of a translation model lie near the limit of the information bottleneck?

X is a source word, Y the piece that is written of it. Their table has an optimal curve. Against it, for each layer:

- groups of words by the mean of their states. They are a function of X, so that no estimate is involved and none lies
  above the curve. Random groups of the same number tell what is no merit of the layer.
- clusters of the states themselves. A state has seen the sentence, not only its word: above the curve is what the
  sentence tells of Y beyond the word.

    python recipes/translation_limits.py newstest2019-src.eng.txt.gz --out runs/limit
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import KMeans

from nmt_ib.attribution.answers import own_answers
from nmt_ib.cli.curve import layer_table, show
from nmt_ib.cli.terminal import out
from nmt_ib.info.clustering import clustered_information
from nmt_ib.info.discrete import codes, discrete_information
from nmt_ib.info.ib_limit import beta_grid, ib_curve
from nmt_ib.models.loading import load_translation_model
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.reports.png.information_plane import write_curve_figure
from nmt_ib.studies.planes.layer_states import LayerStates, gathered_states, readable_sources
from nmt_ib.studies.planes.word_labels import OUTPUT, WORD


def common(labels: list[str], values: int) -> np.ndarray:
    """Which labels are among the most frequent ones."""
    return np.isin(labels, [label for label, _ in Counter(labels).most_common(values) if label])


def bits(some: np.ndarray, others: np.ndarray) -> float:
    """By counting, as the table of words and outputs is counted."""
    return discrete_information(some, others).nats * BITS_PER_NAT


def grouped(states: np.ndarray, words: np.ndarray, groups: int, seed: int) -> np.ndarray:
    """Group of each word."""
    counts = np.bincount(words)
    means = np.stack([np.bincount(words, column) for column in states.T.astype(np.float64)], 1) / counts[:, None]
    return KMeans(groups, n_init=5, random_state=seed).fit_predict(means, sample_weight=counts)


def against(encoder: LayerStates, options: argparse.Namespace) -> None:
    """Prints both tables and draws both pictures."""
    kept = common(encoder.labels[WORD], options.values) & common(encoder.labels[OUTPUT], options.values)
    words, outputs = (codes(np.array(encoder.labels[about])[kept]) for about in (WORD, OUTPUT))
    table = np.zeros((words.max() + 1, outputs.max() + 1))
    np.add.at(table, (words, outputs), 1 / len(words))
    curve = ib_curve(table, beta_grid(1, 5, options.betas))
    print(f"{len(words):,} words of {len(table)} kinds, {table.shape[1]} outputs")
    show(curve)
    generator, by_word, by_state = np.random.default_rng(options.seed), [], []
    for layer, all_states in encoder.layers():
        states = all_states[kept]
        for groups in options.groups:
            group = grouped(states, words, groups, options.seed)
            by_word.append((f"{layer} in {groups}", bits(group[words], words), bits(group[words], outputs)))
        found = (clustered_information(states, about, options.clusters, options.seed) for about in (words, outputs))
        by_state.append((layer, *(one.settings["plug_in_nats"] * BITS_PER_NAT for one in found)))
    for groups in options.groups:
        group = generator.permutation(np.arange(len(table)) % groups)
        by_word.append((f"random in {groups}", bits(group[words], words), bits(group[words], outputs)))
    for name, layers in (("words", by_word), ("states", by_state)):
        print(f"groups of {name}")
        found = curve.against(layers)
        out.print(layer_table(found))
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        print(write_curve_figure(folder, found)[0])


def main() -> None:
    """Gathers states, and holds them against the curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="sentences, one a line")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=50_000)
    parser.add_argument("--values", type=int, default=100, help="most frequent words, and outputs, that count")
    parser.add_argument("--groups", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--betas", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/limit"))
    parser.add_argument("--smoke", action="store_true", help="20 sentences, 4 clusters")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.clusters, options.values, options.groups, options.betas = 20, 4, 10, [2], 4
    torch.set_num_threads(1)
    model = load_translation_model(options.model)
    sources = readable_sources(model, options.data, options.sentences)
    encoder, _ = gathered_states(model, sources, own_answers(model, sources), tokens=options.tokens)
    against(encoder, options)


if __name__ == "__main__":
    main()
