"""Accuracy, rate and speed of a compressed parser on a test set."""

import time

from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.compression.training import evaluate
from nmt_ib.results.parsing import ParserTest, finite_or_none


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
