"""How does the information in the layers of a transformer change during training? The plane over checkpoints.

Reads directories epoch-0, epoch-1, ... as written by `train_marian.py` and `train_sst2.py`. For each epoch and layer:
information about the word, its neighbours, its part of speech (in a treebank), and the output: the aligned piece of the
reference translation, or the label of the sentence.

    python recipes/plane_over_training.py runs/marian val.en.gz --targets val.de.gz
    python recipes/plane_over_training.py runs/sst2/minilm sentences-dev.tsv.gz --labelled
"""

import argparse
import json
from itertools import islice
from pathlib import Path

import torch

from nmt_ib import (
    EncoderModel,
    Sentence,
    TransformerPlane,
    TransformerPlaneStudy,
    gather_states,
    load_model,
    read_labelled,
    read_lines,
    read_sources,
    write_training_figure,
)

ESTIMATORS = ("clusters", "infonce")
Planes = dict[int, TransformerPlane]


def read(model: EncoderModel, options: argparse.Namespace) -> tuple[list[Sentence], list | None]:
    """Sentences and their references or labels: a model's own translations would change during training."""
    if options.targets:
        references = dict(zip(read_lines(options.data), read_lines(options.targets), strict=True))
        sources = read_sources(model, options.data, options.sentences)
        return sources, [model.tokenize_target(references[source.text]) for source in sources]
    if options.labelled:
        rows = list(islice(read_labelled(options.data), options.sentences))
        return [model.tokenize_source(text) for text, _ in rows], [label for _, label in rows]
    return read_sources(model, options.data, options.sentences), None


def measured(numbers: list[int], options: argparse.Namespace) -> Planes:
    """The plane of each checkpoint, with the labels of the last one: an untrained model does not align words."""
    estimators = (options.estimator,)
    study = TransformerPlaneStudy(options.clusters, options.values, options.tokens, options.seed, estimators)
    planes, labels = {}, None
    for number in reversed(numbers):
        model = load_model(options.training / f"epoch-{number}")
        parts = gather_states(model, *read(model, options), tokens=options.tokens)
        labels = labels or [part.labels for part in parts]
        for part, last_labels in zip(parts, labels, strict=True):
            part.labels = last_labels
        planes[number] = study.measure_states(parts)
    return dict(sorted(planes.items()))


def table(planes: Planes, thing: str, estimator: str) -> None:
    """One line per layer, one column per epoch; chance-corrected bits with their 95 % interval."""
    print(f"{thing:20}" + "".join(f"{f'epoch {epoch}':>16}" for epoch in planes))
    for layer in next(iter(planes.values())).about(thing, estimator):
        rows = [plane.about(thing, estimator)[layer] for plane in planes.values()]
        print(f"{layer:20}" + "".join(f"{r.beyond_chance_bits:>9.2f} ± {1.96 * r.error_bits:.2f}" for r in rows))


def main() -> None:
    """Prints one table per label and writes the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("training", type=Path, help="directory with epoch-0, epoch-1, ...")
    parser.add_argument("data", help="sentences, one per line, or a treebank")
    parser.add_argument("--targets", help="reference translations, for a translation model")
    parser.add_argument("--labelled", action="store_true", help="DATA is a table of labels and sentences, as in SST-2")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=10_000, help="maximum number of states")
    parser.add_argument("--clusters", type=int, default=50)
    parser.add_argument("--values", type=int, default=100, help="number of most frequent values of a label")
    parser.add_argument("--estimator", default="clusters", choices=ESTIMATORS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="output directory; default: TRAINING")
    parser.add_argument("--smoke", action="store_true", help="20 sentences, 4 clusters")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.clusters, options.values = 20, 4, 10
    torch.set_num_threads(1)
    numbers = sorted(int(folder.name.split("-")[1]) for folder in options.training.glob("epoch-*") if not folder.suffix)
    planes = measured(numbers, options)
    for thing in planes[numbers[-1]].things:
        table(planes, thing, options.estimator)
    out = options.out or options.training
    out.mkdir(parents=True, exist_ok=True)
    document = {number: plane.to_dict() for number, plane in planes.items()}
    (out / "planes.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(write_training_figure(out, planes)[0])


if __name__ == "__main__":
    main()
