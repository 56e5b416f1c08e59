"""How fast are training and parsing from cached vectors, and is decoding the bottleneck?

python recipes/benchmark_parsing.py en_ewt-ud-train.conllu.gz en_ewt-ud-test.conllu.gz
"""

import argparse
import time
from itertools import islice

import torch

from nmt_ib import (
    CompressionObjective,
    CompressionStudy,
    ParserTraining,
    embed_treebank,
    load_embedder,
    maximum_spanning_trees,
    read_conllu,
    train_parser_epoch,
)


def main() -> None:
    """Prints seconds per epoch, sentences per second, and the share of decoding."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", help="training treebank")
    parser.add_argument("test", help="treebank to parse")
    parser.add_argument("--embedder", default="builtin:minilm")
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=2000, help="number of training sentences")
    parser.add_argument("--batch-size", type=int, default=128, help="sentences parsed at once")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="20 sentences")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train = list(islice(read_conllu(options.train), 20 if options.smoke else options.sentences))
    test = list(islice(read_conllu(options.test), 20 if options.smoke else None))
    embedder, layers = load_embedder(options.embedder), [options.layer]
    start = time.perf_counter()
    train_set = embed_treebank(train, embedder, layers)
    test_set = embed_treebank(test, embedder, layers, train_set.labels)
    print(f"vectors, computed or from the cache: {time.perf_counter() - start:.1f} s")
    model = CompressionStudy().config(embedder, layers, train_set).build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    start = time.perf_counter()
    train_parser_epoch(model, CompressionObjective(1e-2), train_set, ParserTraining(), optimizer, 0)
    print(f"an epoch of {len(train_set.trees):,} sentences: {time.perf_counter() - start:.1f} s")
    batches = [test_set.batch(numbers) for numbers in test_set.batches_by_length(options.batch_size)]
    start = time.perf_counter()
    for batch in batches:
        model.parse(batch)
    parsing = time.perf_counter() - start
    with torch.no_grad():
        scores = [
            (model.scores(batch, model.tags(batch)).arcs.log_softmax(-1).double().numpy(), batch.lengths.numpy())
            for batch in batches
        ]
    start = time.perf_counter()
    for arcs, lengths in scores:
        maximum_spanning_trees(arcs, lengths)
    decoding = time.perf_counter() - start
    print(
        f"batches of {options.batch_size}: {len(test_set.trees) / parsing:,.0f} sentences per second; decoding takes "
        f"{decoding / parsing:.1%} of the time ({len(test_set.trees) / decoding:,.0f} sentences per second on its own)"
    )


if __name__ == "__main__":
    main()
