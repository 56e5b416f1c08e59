"""How far does the best parser that we found on frozen vectors fall short of fine-tuned ones?

All layers of the encoder, averaged by learned weights; continuous tags; two wide LSTM layers; dropout. Beside it what
the peers report for the English Web Treebank, LAS: stanza's graph parser 93.7 with a fine-tuned encoder, SuPar's
biaffine parser on XLM-R 91.3 (twelve treebanks, UD 2.3), DiaParser 89.5 (from raw text), uuparser 85.5 and jPTDP 84.5
without a pretrained encoder.

    python recipes/best_parser.py en_ewt-ud-train.conllu.gz en_ewt-ud-dev.conllu.gz en_ewt-ud-test.conllu.gz
"""

import argparse
from pathlib import Path

import torch

from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import TagSettings
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.saved import load_parser
from nmt_ib.compression.training import Epoch, TrainingSettings
from nmt_ib.data.conllu import read_conllu
from nmt_ib.models.loading import load_embedder
from nmt_ib.parsing.biaffine import ParserSettings
from nmt_ib.studies.parsing.benchmark import score_parser
from nmt_ib.studies.parsing.compression import CompressionStudy
from nmt_ib.studies.parsing.treebank_vectors import embed_treebank


def show(epoch: Epoch) -> None:
    """One line an epoch."""
    print(
        f"epoch {epoch.number}: dev UAS {epoch.uas:.4f}, LAS {epoch.las:.4f}, {epoch.bits:.1f} bits a word", flush=True
    )


def main() -> None:
    """Prints the scores on the test set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("treebank", nargs=3, help="training, development and test set, CoNLL-U")
    parser.add_argument("--embedder", default="builtin:minilm")
    parser.add_argument("--beta", type=float, default=1e-3)
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
    embedder, labels = load_embedder(options.embedder), Labels.of(train)
    layers = list(range(embedder.layers))
    known, unseen, held_out = (embed_treebank(trees, embedder, layers, labels) for trees in (train, dev, test))
    training = TrainingSettings(options.epochs, learning_rate=2e-3, seed=options.seed)
    study = CompressionStudy(TagSettings(dropout=0.2), Objective(options.beta), size, training)
    study.train((known, unseen), study.config(embedder, layers, known), options.out, after_epoch=show)
    model = load_parser(options.out).model
    found = score_parser(model, held_out)
    weights = ", ".join(f"{weight:.2f}" for weight in model.mix.softmax(0).tolist())
    print(f"layers 0 to {layers[-1]} weigh {weights}")
    print(
        f"test: UAS {found.uas:.4f}, LAS {found.las:.4f}, CLAS {found.clas:.4f}, "
        f"{found.bits_per_token:.1f} bits a word, {found.sentences_per_second:.0f} sentences a second"
    )


if __name__ == "__main__":
    main()
