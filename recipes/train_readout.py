"""How near does one pass of a readout network come to a search for each sentence? Trains one, and compares.

The model reads its sentences' own translations, or the labels that it gives itself. A run that is killed goes on with
the same command.

    python recipes/train_readout.py newstest2019-src.eng.txt.gz --out runs/readout/en-pt
    python recipes/train_readout.py sentences-train.tsv.gz --classifier runs/sst2/minilm --out runs/readout/sst2
"""

import argparse
import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from nmt_ib.attribution.bottleneck import Bottleneck
from nmt_ib.attribution.readout import Readout, ReadoutNetwork
from nmt_ib.attribution.readout_training import ReadoutTraining, train_readout
from nmt_ib.batching import length_buckets
from nmt_ib.data.classification import read_labelled
from nmt_ib.data.text import read_lines
from nmt_ib.models.loading import load_encoder_model, load_translation_model
from nmt_ib.protocols import EncoderModel
from nmt_ib.types import Sentence


@torch.inference_mode()
def answers(model: EncoderModel, sources: list[Sentence]) -> list:
    """The model's own translation of each sentence, or the label that it gives."""
    found = {}
    for bucket in length_buckets([len(source) for source in sources], 32):
        batch = model.pad([sources[index] for index in bucket])
        if hasattr(model, "translate"):
            found.update(zip(bucket, model.translate(batch), strict=True))
        else:
            labels = model.classify(model.embed(batch.ids), batch.mask).argmax(1).tolist()
            found.update(zip(bucket, labels, strict=True))
    return [found[index] for index in range(len(sources))]


def sentences(options: argparse.Namespace, model: EncoderModel) -> list[Sentence]:
    """Sentences with words that are not too long, in order."""
    lines = (text for text, _ in read_labelled(options.text)) if options.classifier else read_lines(options.text)
    read = (source for line in lines if (source := model.tokenize_source(line)).words)
    return list(itertools.islice((one for one in read if len(one) <= options.longest), options.sentences))


def spearman(some: Sequence[float], others: Sequence[float]) -> float:
    """Correlation of ranks; equal values share theirs."""

    def ranks(values: Sequence[float]) -> torch.Tensor:
        given = torch.tensor(values, dtype=torch.float64)
        return (given[:, None] > given).sum(1) + ((given[:, None] == given).sum(1) - 1) / 2

    return float(torch.corrcoef(torch.stack([ranks(some), ranks(others)]))[0, 1])


def compare(model: EncoderModel, held: list[Sentence], options: argparse.Namespace, network: ReadoutNetwork) -> None:
    """Readout and search on sentences that training has not seen; between them what needs no learning."""
    same = ReadoutNetwork(network.statistics, layer=network.layer)
    for weight in same.parameters():
        torch.nn.init.zeros_(weight)
    search = Bottleneck(
        layer=options.layer, beta=options.beta, per_token=False, steps=options.search_steps,
        learning_rate=options.search_rate, statistics=network.statistics,
    )  # fmt: skip
    again = replace(search, seed=1)
    methods = {"search": search, "readout": Readout(network), "equal gates": Readout(same), "search again": again}
    targets, searched = answers(model, held), []
    for name, method in methods.items():
        start = time.perf_counter()
        found = method(model, held, targets)
        seconds, searched = time.perf_counter() - start, searched or found
        pairs = [(a.word_scores, b.word_scores) for a, b in zip(found, searched, strict=True) if len(a.words) > 2]
        every = [[bits for pair in pairs for bits in pair[side]] for side in (0, 1)]
        print(
            f"{name:14}{sum(every[0]) / len(every[0]):8.1f} bits a word {seconds / len(held):8.3f} s a sentence"
            f" {found[0].passes:5} passes  Spearman with the search, all words {spearman(*every):.3f},"
            f" within a sentence {sum(spearman(*pair) for pair in pairs) / len(pairs):.3f}"
        )
    loss = {name: sum(one.details[name] for one in searched) / len(searched) for name in searched[0].details}
    print("search: " + "  ".join(f"{name} {value:.2f}" for name, value in loss.items()))


def main() -> None:
    """Trains, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", help="sentences, one a line; with --classifier labels and sentences, as SST-2")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--classifier", help="directory of a classifier, instead of --model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layer", type=int, default=0)
    parser.add_argument("--beta", type=float, help="price of information; 1 for translations, .1 for a label")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=ReadoutTraining.learning_rate)
    parser.add_argument("--sentences", type=int, default=20_000, help="most to read")
    parser.add_argument("--held-out", type=int, default=20, help="of these, the last ones, to compare on")
    parser.add_argument("--longest", type=int, default=48, help="pieces of the longest sentence that is read")
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
    options.beta = Bottleneck(beta=options.beta).price(model)
    read = sentences(options, model)
    known, held = read[: -options.held_out], read[-options.held_out :]
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
    network = train_readout(model, known, answers(model, known), options.out, training=training, progress=progress)
    compare(model, held, options, network)


if __name__ == "__main__":
    main()
