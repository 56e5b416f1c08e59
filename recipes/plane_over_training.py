"""How does what the layers of a transformer tell change while it is trained? The plane over checkpoints.

Reads the directories epoch-0, epoch-1, ... that `train_marian.py` and `train_sst2.py` write, or others of such names.
For each epoch and layer: information about the word, its neighbours, its part of speech (in a treebank), and the
output: what the reference writes of the word, or the label of its sentence.

    python recipes/plane_over_training.py runs/marian val.en.gz --targets val.de.gz
    python recipes/plane_over_training.py runs/sst2/minilm sentences-dev.tsv.gz --labelled
"""

import argparse
from itertools import islice
from pathlib import Path

import torch

from nmt_ib.data.classification import read_labelled
from nmt_ib.data.text import read_lines
from nmt_ib.files import write_json
from nmt_ib.models.encoder import HuggingFaceEncoder
from nmt_ib.models.loading import load_model
from nmt_ib.models.seq2seq import Seq2SeqModel
from nmt_ib.reports.png.transformer_plane import write_training_figure
from nmt_ib.results.transformer_plane import CLUSTERS, TransformerPlane
from nmt_ib.studies.planes.layer_states import gathered_states, readable_sources
from nmt_ib.studies.planes.transformer import ESTIMATORS, TransformerPlaneStudy
from nmt_ib.types import Sentence

Model = Seq2SeqModel | HuggingFaceEncoder
Planes = dict[int, TransformerPlane]


def read(model: Model, options: argparse.Namespace) -> tuple[list[Sentence], list | None]:
    """Sentences; with the reference of each, which stays the same while the model's own translation would not."""
    if options.targets:
        known = dict(zip(read_lines(options.data), read_lines(options.targets), strict=True))
        sources = readable_sources(model, options.data, options.sentences)
        return sources, [model.tokenize_target(known[source.text]) for source in sources]
    if options.labelled:
        rows = list(islice(read_labelled(options.data), options.sentences))
        return [model.tokenize_source(text) for text, _ in rows], [label for _, label in rows]
    return readable_sources(model, options.data, options.sentences), None


def measured(numbers: list[int], options: argparse.Namespace) -> Planes:
    """The plane of each checkpoint. All have the last one's labels: an untrained model aligns no words."""
    estimators = (options.estimator,)
    study = TransformerPlaneStudy(options.clusters, options.values, options.tokens, options.seed, estimators)
    planes, labels = {}, None
    for number in reversed(numbers):
        model = load_model(options.training / f"epoch-{number}")
        parts = gathered_states(model, *read(model, options), tokens=options.tokens)
        labels = labels or [part.labels for part in parts]
        for part, known in zip(parts, labels, strict=True):
            part.labels = known
        planes[number] = study.measure_states(parts)
    return dict(sorted(planes.items()))


def table(planes: Planes, thing: str, estimator: str) -> None:
    """One line a layer, one column an epoch."""
    print(f"{thing:20}" + "".join(f"{f'epoch {epoch}':>16}" for epoch in planes))
    for layer in next(iter(planes.values())).about(thing, estimator):
        rows = [plane.about(thing, estimator)[layer] for plane in planes.values()]
        print(f"{layer:20}" + "".join(f"{r.beyond_chance_bits:>9.2f} ± {1.96 * r.error_bits:.2f}" for r in rows))


def main() -> None:
    """Prints a table for each thing, and draws the paths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("training", type=Path, help="directory with epoch-0, epoch-1, ...")
    parser.add_argument("data", help="sentences, one a line, or a treebank")
    parser.add_argument("--targets", help="translations, line by line, for a translation model")
    parser.add_argument("--labelled", action="store_true", help="the sentences have labels, as SST-2")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--clusters", type=int, default=50)
    parser.add_argument("--values", type=int, default=100, help="most frequent words that count")
    parser.add_argument("--estimator", default=CLUSTERS, choices=ESTIMATORS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="else the directory of the training")
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
    write_json(out / "planes.json", {str(number): plane.to_dict() for number, plane in planes.items()})
    print(write_training_figure(out, planes)[0])


if __name__ == "__main__":
    main()
