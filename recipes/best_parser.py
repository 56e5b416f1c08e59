"""How far does our best parser on frozen vectors fall short of fine-tuned parsers?

All layers of the encoder, averaged with learned weights; continuous tags; two wide LSTM layers; dropout. For
comparison, LAS reported for the English Web Treebank: stanza's graph parser 93.7 with a fine-tuned encoder, SuPar's
biaffine parser on XLM-R 91.3 (twelve treebanks, UD 2.3), DiaParser 89.5 (from raw text), uuparser 85.5 and jPTDP 84.5
without a pretrained encoder.

    python recipes/best_parser.py en_ewt-ud-train.conllu.gz en_ewt-ud-dev.conllu.gz en_ewt-ud-test.conllu.gz
"""

import argparse
from pathlib import Path
from typing import Any

import torch

from nmt_ib import (
    CompressionObjective,
    CompressionStudy,
    ParserSettings,
    ParserTraining,
    TagSettings,
    embed_treebank,
    load_embedder,
    load_parser,
    read_conllu,
)
from nmt_ib.benchmark import score_parser


def show(epoch: Any) -> None:
    """One line per epoch."""
    scores = f"UAS {epoch.uas:.4f}, LAS {epoch.las:.4f}, {epoch.bits:.1f} bits per word"
    print(f"epoch {epoch.number}: development set {scores}", flush=True)


def main() -> None:
    """Prints the scores on the test set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("treebank", nargs=3, help="training, development and test set, CoNLL-U")
    parser.add_argument("--embedder", default="builtin:minilm")
    parser.add_argument("--beta", type=float, default=1e-3, help="weight of the rate")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/best_parser"))
    parser.add_argument("--smoke", action="store_true", help="one epoch of a small parser")
    options = parser.parse_args()
    size = ParserSettings(hidden=300, layers=2, arc=300, label=100, dropout=0.33)
    if options.smoke:
        options.epochs, size = 1, ParserSettings(hidden=8, layers=2, dropout=0.33)
    if options.threads:
        torch.set_num_threads(options.threads)
    train, dev, test = (list(read_conllu(path)) for path in options.treebank)
    embedder = load_embedder(options.embedder)
    layers = list(range(embedder.layers))
    train_set = embed_treebank(train, embedder, layers)
    dev_set, test_set = (embed_treebank(trees, embedder, layers, train_set.labels) for trees in (dev, test))
    training = ParserTraining(options.epochs, learning_rate=2e-3, seed=options.seed)
    study = CompressionStudy(TagSettings(dropout=0.2), CompressionObjective(options.beta), size, training)
    study.train((train_set, dev_set), study.config(embedder, layers, train_set), options.out, after_epoch=show)
    model = load_parser(options.out).model
    scores = score_parser(model, test_set)
    weights = ", ".join(f"{weight:.2f}" for weight in model.mix.softmax(0).tolist())
    print(f"weights of layers 0 to {layers[-1]}: {weights}")
    print(
        f"test set: UAS {scores.uas:.4f}, LAS {scores.las:.4f}, CLAS {scores.clas:.4f}, "
        f"{scores.bits_per_token:.1f} bits per word, {scores.sentences_per_second:.0f} sentences per second"
    )


if __name__ == "__main__":
    main()
