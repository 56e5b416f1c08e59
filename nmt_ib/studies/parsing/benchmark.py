"""Accuracy, rate and speed of a compressed parser on a test set. The public function."""

import time
from dataclasses import replace
from pathlib import Path

import torch

from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.saved import SavedParser
from nmt_ib.compression.training import evaluate
from nmt_ib.requests import check_count
from nmt_ib.results.parsing import ParserTest, finite_or_none
from nmt_ib.signature import RunSignature, fingerprint_lines
from nmt_ib.studies.parsing.parsers import parser_fingerprint, resolve_parser
from nmt_ib.studies.parsing.treebank_vectors import embed_for_parser
from nmt_ib.studies.parsing.treebanks import Treebank, open_treebank


def parsing(
    model: SavedParser | str | Path,
    test: Treebank,
    *,
    batch_size: int = 128,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> ParserTest:
    """Attachment scores of a compressed parser as the official scorer computes them, its rate and its speed.

    Args:
        model: A parser, or the run directory of `compress`.
        test: Test treebank: name of a CoNLL-U file, also gzipped, or trees.
        batch_size: Sentences parsed at once; does not affect scores beyond rounding.
        device: Device of parser and embedder: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show a progress bar.

    Returns:
        Scores, rate and speed.

    Raises:
        RequestError: The parser or the treebank cannot be read, the treebank has no words, or the parser's embedder has
            changed.
    """
    check_count("batch_size", batch_size)
    parser = resolve_parser(model)
    trees = open_treebank(test, "test")
    corpus = embed_for_parser(trees, parser.config, device=device, progress=progress)
    scores = score_parser(parser.to(device), corpus, batch_size=batch_size)
    data = {"test": fingerprint_lines(line for tree in trees for line in (*tree.lines, ""))}
    signature = RunSignature("benchmark parsing", parser.name, parser_fingerprint(parser), data, {}, seed=0)
    return replace(scores, signature=signature.to_dict())


def score_parser(model: CompressedParser, corpus: ParsingCorpus, *, batch_size: int = 128) -> ParserTest:
    """Attachment scores, mean rate and speed of a parser on a treebank.

    Args:
        model: The parser.
        corpus: The treebank.
        batch_size: Sentences parsed at once; does not affect scores beyond rounding.

    Returns:
        Scores as the official scorer defines them for gold tokenisation, rate and speed.
    """
    start = time.perf_counter()
    scores, bits = evaluate(model, corpus, batch_size)
    seconds = time.perf_counter() - start
    return ParserTest(
        uas=scores.uas,
        las=scores.las,
        clas=scores.clas,
        bits_per_token=finite_or_none(bits),
        words=scores.words,
        sentences=len(corpus.trees),
        sentences_per_second=len(corpus.trees) / seconds,
    )
