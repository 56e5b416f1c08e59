"""How closely does one pass of a readout network approximate the bottleneck's search? Trains one, and compares.

What is explained is the model's own translation of each sentence, or the label that it predicts. Rerun the same command
to resume an interrupted training.

    python recipes/train_readout.py newstest2019-src.eng.txt.gz --out runs/readout/en-pt
    python recipes/train_readout.py sentences-train.tsv.gz --classifier runs/sst2/minilm --out runs/readout/sst2
"""

import argparse
import itertools
import time
from dataclasses import replace
from pathlib import Path

import torch
from scipy.stats import spearmanr

from nmt_ib import (
    Bottleneck,
    EncoderModel,
    ReadoutNetwork,
    ReadoutTraining,
    Sentence,
    attribution_method,
    load_encoder_model,
    load_translation_model,
    own_answers,
    read_labelled,
    read_lines,
    train_readout,
)


def sentences(options: argparse.Namespace, model: EncoderModel) -> list[Sentence]:
    """Sentences with words that are not too long, in order."""
    lines = (text for text, _ in read_labelled(options.text)) if options.classifier else read_lines(options.text)
    read = (source for line in lines if (source := model.tokenize_source(line)).words)
    return list(itertools.islice((one for one in read if len(one) <= options.longest), options.sentences))


def compare(
    model: EncoderModel, held_out: list[Sentence], options: argparse.Namespace, network: ReadoutNetwork
) -> None:
    """Readout and search on held-out sentences, with an untrained baseline and the search's own noise."""
    equal = ReadoutNetwork(network.statistics, layer=network.layer)
    for weight in equal.parameters():
        torch.nn.init.zeros_(weight)
    search = Bottleneck(
        layer=options.layer, beta=options.beta, per_token=False, steps=options.search_steps,
        learning_rate=options.search_rate, statistics=network.statistics,
    )  # fmt: skip
    methods = {
        "search": search,
        "readout": attribution_method("readout", network=network),
        "equal gates": attribution_method("readout", network=equal),
        "search again": replace(search, seed=1),
    }
    targets, searched = own_answers(model, held_out), []
    for name, method in methods.items():
        start = time.perf_counter()
        found = method(model, held_out, targets)
        seconds, searched = time.perf_counter() - start, searched or found
        pairs = [(a.word_scores, b.word_scores) for a, b in zip(found, searched, strict=True) if len(a.words) > 2]
        all_words = [[bits for pair in pairs for bits in pair[side]] for side in (0, 1)]
        within = sum(spearmanr(*pair).statistic for pair in pairs) / len(pairs)
        print(
            f"{name:14}{sum(all_words[0]) / len(all_words[0]):8.1f} bits per word"
            f" {seconds / len(held_out):8.3f} s per sentence {found[0].passes:5} passes"
            f"  Spearman correlation with the search: all words {spearmanr(*all_words).statistic:.3f},"
            f" within sentences {within:.3f}"
        )
    loss = {name: sum(one.details[name] for one in searched) / len(searched) for name in searched[0].details}
    print("search: " + "  ".join(f"{name} {value:.2f}" for name, value in loss.items()))


def main() -> None:
    """Trains a network and prints the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", help="sentences, one per line; with --classifier a table of labels and sentences")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--classifier", help="directory of a classifier, in place of --model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layer", type=int, default=0, help="encoder layer with the gates; 0: embeddings")
    parser.add_argument(
        "--beta", type=float, help="weight of the rate term; default: 1 for translations, .1 for labels"
    )
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=ReadoutTraining.learning_rate)
    parser.add_argument("--sentences", type=int, default=20_000, help="maximum number of sentences")
    parser.add_argument("--held-out", type=int, default=20, help="number of the last ones that are held out")
    parser.add_argument("--longest", type=int, default=48, help="maximum number of pieces per sentence")
    parser.add_argument("--search-steps", type=int, default=Bottleneck.steps)
    parser.add_argument("--search-rate", type=float, default=Bottleneck.learning_rate)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="8 sentences, 3 steps")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.held_out, options.steps, options.search_steps, options.batch_size = 8, 3, 3, 2, 3
    torch.set_num_threads(options.threads)
    model = load_encoder_model(options.classifier) if options.classifier else load_translation_model(options.model)
    options.beta = Bottleneck(beta=options.beta).beta_for(model)
    read = sentences(options, model)
    known, held_out = read[: -options.held_out], read[-options.held_out :]
    start = time.perf_counter()
    recent: list[dict[str, float]] = []

    def progress(step: int, terms: dict[str, float]) -> None:
        recent.append(terms)
        if step % 50 == 0 or step == options.steps:
            means = {name: sum(one[name] for one in recent) / len(recent) for name in terms}
            recent.clear()
            print(
                f"step {step:5} {time.perf_counter() - start:6.0f} s  "
                + "  ".join(f"{n} {v:.2f}" for n, v in means.items()),
                flush=True,
            )

    training = ReadoutTraining(
        layer=options.layer, beta=options.beta, steps=options.steps, batch_size=options.batch_size,
        learning_rate=options.learning_rate, seed=options.seed,
    )  # fmt: skip
    targets = own_answers(model, known)
    network = train_readout(model, known, targets, options.out, training=training, progress=progress)
    compare(model, held_out, options, network)


if __name__ == "__main__":
    main()
