"""How fast is training and parsing from cached vectors, and is decoding the bottleneck?

python recipes/benchmark_parsing.py en_ewt-ud-train.conllu.gz en_ewt-ud-test.conllu.gz
"""

import argparse
import time
from itertools import islice

import torch

from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import TagSettings, WordShape, compressor
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.training import TrainingSettings, train_epoch
from nmt_ib.data.conllu import read_conllu
from nmt_ib.models.loading import load_embedder
from nmt_ib.parsing.biaffine import BiaffineParser
from nmt_ib.parsing.decoding import maximum_spanning_trees
from nmt_ib.studies.parsing.treebank_vectors import embed_treebank


def main() -> None:
    """Prints seconds an epoch, sentences a second, and the share of decoding."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", help="treebank to learn from")
    parser.add_argument("test", help="treebank to parse")
    parser.add_argument("--embedder", default="builtin:minilm")
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=2000, help="training sentences")
    parser.add_argument("--batch-size", type=int, default=128, help="sentences parsed at once")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="20 sentences")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    count = 20 if options.smoke else options.sentences
    trees = (
        list(islice(read_conllu(options.train), count)),
        list(read_conllu(options.test))[: 20 if options.smoke else None],
    )
    embedder, labels = load_embedder(options.embedder), Labels.of(trees[0])
    began = time.perf_counter()
    known, unseen = (embed_treebank(one, embedder, [options.layer], labels) for one in trees)
    print(f"vectors, made or from the cache: {time.perf_counter() - began:.1f} s")
    words = WordShape(embedder.width, 0, len(labels.upos))
    made = compressor(TagSettings(), words)
    model = CompressedParser(made, BiaffineParser(made.width, len(labels.relations)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    began = time.perf_counter()
    train_epoch(model, Objective(1e-2), known, TrainingSettings(), optimizer, 0)
    print(f"an epoch of {len(known.trees):,} sentences: {time.perf_counter() - began:.1f} s")
    batches = [unseen.batch(numbers) for numbers in unseen.batches_by_length(options.batch_size)]
    began = time.perf_counter()
    for batch in batches:
        model.parse(batch)
    all_seconds = time.perf_counter() - began
    with torch.no_grad():
        grids = [
            (model.scores(batch, model.tags(batch)).arcs.log_softmax(-1).double().numpy(), batch.lengths.numpy())
            for batch in batches
        ]
    began = time.perf_counter()
    for arcs, lengths in grids:
        maximum_spanning_trees(arcs, lengths)
    seconds = time.perf_counter() - began
    print(
        f"batches of {options.batch_size}: {len(unseen.trees) / all_seconds:,.0f} sentences a second, "
        f"of which decoding takes {seconds / all_seconds:.1%} ({len(unseen.trees) / seconds:,.0f} a second by itself)"
    )


if __name__ == "__main__":
    main()
