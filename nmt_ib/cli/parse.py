"""`nmt-ib parse`: dependency trees from a parser that `nmt-ib compress` trained."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from nmt_ib.cli.terminal import Device, Json, SentencesAtOnce, Threads, printable, set_threads

EXAMPLE = """\b
Example:
  $ echo "The bridge was closed." > text.en
  $ nmt-ib parse text.en --model model/
  # text = The bridge was closed.
  1	The	_	_	_	_	2	det	_	_
  2	bridge	_	_	_	_	4	nsubj	_	_
  3	was	_	_	_	_	4	aux	_	_
  4	closed	_	_	_	_	0	root	_	SpaceAfter=No
  5	.	_	_	_	_	4	punct	_	_
"""


def parse(
    source: Annotated[str, typer.Argument(help="Sentences, one a line, or a treebank (.conllu, .conllu.gz).")],
    model: Annotated[Path, typer.Option(help="The --out directory of `nmt-ib compress`.")],
    vectors: Annotated[
        Path | None,
        typer.Option(help="Vectors of whitespace-separated words: .npz with vectors [N, D] and lengths [B]."),
    ] = None,
    language: Annotated[str, typer.Option(help="Language of a plain text, for word segmentation.")] = "en",
    device: Device = "cpu",
    batch_size: SentencesAtOnce = 128,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Parses sentences into CoNLL-U: one tree with one root for each; an empty line gives an empty sentence."""
    from nmt_ib.studies.parsing.parse import parse as study

    set_threads(threads)
    parses = study(
        model, source, vectors=vectors, language=language, batch_size=batch_size, device=device, progress=True
    )
    write(json.dumps(parses.to_dict(), ensure_ascii=False) + "\n" if as_json else parses.to_conllu())


def write(text: str) -> None:
    """Prints text; on a terminal without control characters."""
    if sys.stdout.isatty():
        text = "".join(character if character in "\t\n" else printable(character) for character in text)
    sys.stdout.write(text)
